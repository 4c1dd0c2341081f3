"""The sender: holds commands until they are final, and sends each by its API in its turn.

It decides nothing about a command. If it is killed, a permit lapses, and then the worker has the
gateway asked about the command. `deploy/decisions/0117` has the table of crashes.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import TYPE_CHECKING, Final

from pipeline.records import CommandState
from pipeline.sender import metrics
from pipeline.sender.apis.unknown import UnknownApis
from pipeline.sender.calls.attempts import Attempts
from pipeline.sender.calls.questions import ask_gateway
from pipeline.sender.entry import FINAL_STATES, Backlog, Entry, Step
from pipeline.sender.offsets import LowWater

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from pipeline.process.tracing import Headers
    from pipeline.records import MtCommand, MtState
    from pipeline.sender.calls.desk import Desk
    from pipeline.sender.post import Post

log = logging.getLogger("twoway.sender")

#: How long calls may still take when a partition is given up or the process ends.
END_SECONDS: Final = 15.0
#: Behind another sender's command: how soon to ask again, at first and at most.
BEHIND_SECONDS: Final = (0.5, 15.0)


class CommandSender:
    """The commands of the partitions that this process owns."""

    def __init__(
        self,
        desks: Mapping[str, Desk],
        *,
        default: str,
        post: Post,
        now: Callable[[], datetime],
    ) -> None:
        self._desks = desks
        self._default = default
        self._post = post
        self._now = now
        self._backlog = Backlog()
        self._attempts = Attempts(self._desk_of, post=post, now=now)
        self._marks: dict[int, LowWater] = {}
        self._holders: dict[int, str] = {}
        self._unknown_apis = UnknownApis()

    def __len__(self) -> int:
        return len(self._backlog)

    async def run(self) -> None:
        """Serve every API until cancelled."""
        async with asyncio.TaskGroup() as group:
            for desk in self._desks.values():
                group.create_task(desk.run(self._attempts.write_ask))
            group.create_task(self._remind())

    def assign(self, partitions: Iterable[int], *, of: int) -> None:
        """Own these partitions from now on, each with a new holder; `of` is the count of all."""
        for partition in partitions:
            self._marks[partition] = LowWater()
            self._holders[partition] = secrets.token_hex(8)
        for desk in self._desks.values():
            desk.bucket.share = len(self._holders) / max(of, 1)

    def take(
        self, command: MtCommand, partition: int, offset: int, *, trace: Headers | None = None
    ) -> None:
        """Hold a command until it is final; ignore it if its partition is no longer owned."""
        mark = self._marks.get(partition)
        if mark is None:
            return
        mark.take(offset)
        if self._backlog.find(command.command_id) is not None:
            mark.finish(offset)
            return
        entry = Entry(command, partition, offset, self._holders[partition], trace=trace)
        if self._backlog.add(entry):
            self._queue(entry)

    def marks(self) -> dict[int, int]:
        """The offset to continue from, by partition."""
        return {
            partition: mark.mark for partition, mark in self._marks.items() if mark.mark is not None
        }

    def hear(self, state: MtState) -> None:
        """Take a state that the worker published for a command."""
        entry = self._backlog.find(state.command_id)
        if entry is None or entry.is_given_up:
            return
        if state.state in FINAL_STATES:
            self._finish(entry)
        elif state.state == CommandState.PERMITTED:
            self._permitted(entry, state)
        elif state.state == CommandState.UNKNOWN:
            self._unknown(entry, state)
        elif entry.step is not Step.CALLING:
            self._wait(entry, state)

    async def give_up(self, partitions: Iterable[int]) -> None:
        """Give up partitions: end their calls, and give back the permits that are not used.

        After an ask that is being written a withdrawal is written; an ask that waits is not
        written. The permit of such an ask would lapse, and its command would become unknown.
        """
        gone = set(partitions)
        entries = self._backlog.of_partitions(gone)
        calling = [entry for entry in entries if entry.step is Step.CALLING]
        unused = [entry for entry in entries if entry.step is Step.ASKED and entry.asking]
        for entry in entries:
            entry.is_given_up = entry.step is not Step.CALLING
        try:
            async with asyncio.timeout(END_SECONDS):
                await asyncio.gather(*(self._attempts.withdraw(entry) for entry in unused))
                if calls := [entry.call for entry in calling if entry.call is not None]:
                    await asyncio.wait(calls)
        except TimeoutError:
            log.warning("calls were under way as the partitions were given up: they go on")
            for entry in unused:
                if entry.asking is not None:
                    entry.asking.cancel()
        for entry in entries:
            entry.is_given_up = True
            self._backlog.remove(entry)
            self._desk_free(entry)
        for partition in gone:
            self._marks.pop(partition, None)
            self._holders.pop(partition, None)

    async def settle(self) -> None:
        """Wait until Kafka has every result."""
        await self._attempts.settle()

    def _desk_of(self, entry: Entry) -> Desk | None:
        return self._desks.get(entry.command.api_id) or self._desks.get(self._default)

    def _queue(self, entry: Entry) -> None:
        desk = self._desk_of(entry)
        if desk is not None:
            desk.queue(entry)
            return
        self._unknown_apis.warn(entry.command.api_id)

    def _desk_free(self, entry: Entry) -> None:
        desk = self._desk_of(entry)
        if desk is not None:
            desk.free(entry)

    def _permitted(self, entry: Entry, state: MtState) -> None:
        if state.holder == entry.holder:
            self._attempts.use(entry, state)
        elif entry.step is Step.ASKED:
            self._later(entry, BEHIND_SECONDS[1])

    def _wait(self, entry: Entry, state: MtState) -> None:
        """Let a command wait: for its time, for an older command, or for a new attempt."""
        if entry.step is Step.UNKNOWN:
            self._backlog.back_in_front(entry)
        if state.attempt + 1 != entry.attempt or entry.step is not Step.ASKED:
            entry.first_asked_at = 0.0
        entry.attempt = state.attempt + 1
        if state.retry_at is not None:
            self._later(entry, max(0.0, (state.retry_at - state.at).total_seconds()))
        elif state.behind:
            shortest, longest = BEHIND_SECONDS
            seconds = min(shortest * 2.0**entry.delays, longest)
            entry.delays = min(entry.delays + 1, 10)
            self._later(entry, seconds)
        else:
            entry.delays = 0
            self._later(entry, 0.0)

    def _later(self, entry: Entry, seconds: float) -> None:
        """Queue a command for its API again after this many seconds."""
        entry.step = Step.QUEUED
        entry.ask_again_at = 0.0
        self._desk_free(entry)
        if seconds <= 0:
            self._queue(entry)
        else:
            self._attempts.start(self._queue_after(entry, seconds), entry)

    async def _queue_after(self, entry: Entry, seconds: float) -> None:
        await asyncio.sleep(seconds)
        if entry.step is Step.QUEUED and not entry.is_given_up:
            self._queue(entry)

    def _unknown(self, entry: Entry, state: MtState) -> None:
        """Let the next command of the lane go on; ask the gateway when the worker says so."""
        if entry.step is Step.CALLING:
            return
        if entry.step is not Step.UNKNOWN:
            entry.step = Step.UNKNOWN
            entry.attempt = state.attempt + 1
            entry.first_asked_at = 0.0
            self._desk_free(entry)
            self._promote(self._backlog.step_aside(entry))
        if state.ask_gateway:
            desk = self._desk_of(entry)
            if desk is not None:
                asked = self._desks.get(desk.api.query_by, desk)
                asking = ask_gateway(entry.command, state.attempt, asked, self._post, self._now)
                self._attempts.start(asking, entry)

    def _finish(self, entry: Entry) -> None:
        entry.step = Step.DONE
        self._desk_free(entry)
        mark = self._marks.get(entry.partition)
        if mark is not None:
            mark.finish(entry.offset)
        self._promote(self._backlog.remove(entry))

    def _promote(self, entry: Entry | None) -> None:
        if entry is not None and entry.step is Step.QUEUED:
            self._queue(entry)

    async def _remind(self) -> None:
        """Write asks again that may have been lost, and set the metrics of held commands."""
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            held = self._backlog.entries()
            metrics.show_held(held)
            metrics.WITHOUT_API.set(sum(self._desk_of(entry) is None for entry in held))
            for entry in held:
                self._attempts.remind(entry, now)
