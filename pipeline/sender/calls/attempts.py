"""Makes the attempts of held commands: asks for a permit, makes the call, writes the result.

A permit is used once, and is checked right before the first octet is written.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from pipeline.identity import derived_id
from pipeline.process.log_ids import LoggedId
from pipeline.process.tracing import carrying
from pipeline.records import AskKind, MtAsk
from pipeline.sender import metrics
from pipeline.sender.calls.call_span import CallSpan
from pipeline.sender.calls.results import result_of_answers
from pipeline.sender.entry import Step
from pipeline.sender.way import Submission

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime

    from pipeline.records import MtState
    from pipeline.sender.calls.desk import Desk
    from pipeline.sender.entry import Entry
    from pipeline.sender.post import Post

log = logging.getLogger("twoway.sender")

#: An ask may be lost: it is written again this long after it was written.
ASK_AGAIN_SECONDS: Final = 10.0
#: A permit is not used in its last moments.
MARGIN_SECONDS: Final = 0.25


class Attempts:
    """The asks, calls and results of the partitions that this process owns."""

    def __init__(
        self,
        desk_of: Callable[[Entry], Desk | None],
        *,
        post: Post,
        now: Callable[[], datetime],
    ) -> None:
        self._desk_of = desk_of
        self._post = post
        self._now = now
        self._untold = 0  # results that Kafka does not have yet
        self._told = asyncio.Event()
        self._told.set()
        self._tasks: set[asyncio.Task[Any]] = set()

    async def settle(self) -> None:
        """Wait until Kafka has every result."""
        await self._told.wait()

    async def write_ask(self, entry: Entry) -> None:
        """Write the ask of a command, without waiting for Kafka."""
        await self._told.wait()
        if entry.is_given_up or entry.step is not Step.ASKED:
            return
        now = time.monotonic()
        # The worker decides after this moment, so the time counted from here is never too long.
        entry.first_asked_at = entry.first_asked_at or now
        entry.asked_at = now
        entry.ask_again_at = now + ASK_AGAIN_SECONDS
        ask = self._ask_of(entry, AskKind.ASK)
        entry.asking = self.start(self._write(entry, ask), entry)

    def remind(self, entry: Entry, now: float) -> None:
        """Write the ask again if it may have been lost; `now` is a time of the monotonic clock."""
        if 0 < entry.ask_again_at <= now and not entry.is_given_up:
            entry.ask_again_at = now + ASK_AGAIN_SECONDS
            if entry.step is Step.GIVING_BACK:
                self.start(self.withdraw(entry), entry)
            elif entry.step in (Step.ASKED, Step.TOLD) and _is_written(entry):
                ask = self._ask_of(entry, AskKind.ASK)
                entry.asking = self.start(self._write(entry, ask), entry)

    def use(self, entry: Entry, state: MtState) -> None:
        """Make the call that a permit allows, if the command still waits for the permit."""
        if entry.step is Step.ASKED and state.attempt == entry.attempt and state.until:
            entry.step = Step.CALLING
            metrics.PERMIT_SECONDS.observe(time.monotonic() - entry.asked_at)
            seconds = (state.until - state.at).total_seconds() - MARGIN_SECONDS
            deadline = entry.first_asked_at + seconds
            entry.call = self.start(self._call(entry, deadline, tuple(state.parts)), entry)

    async def withdraw(self, entry: Entry) -> None:
        """Give back a permit that will not be used, even if it has not arrived yet."""
        entry.ask_again_at = time.monotonic() + ASK_AGAIN_SECONDS
        if entry.asking is not None:
            await asyncio.wait({entry.asking})
        await self._write(entry, self._ask_of(entry, AskKind.WITHDRAW))

    def start(self, work: Coroutine[Any, Any, None], entry: Entry) -> asyncio.Task[None]:
        """Start a task of a command in the background; an error in it is logged."""
        task = asyncio.create_task(work, name=entry.command.command_id)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def _write(self, entry: Entry, ask: MtAsk) -> None:
        with carrying(entry.trace):
            await self._post.ask(ask)

    def _ask_of(self, entry: Entry, kind: AskKind) -> MtAsk:
        command, holder = entry.command, entry.holder
        attempt = str(entry.attempt)
        return MtAsk(
            ask_id=derived_id("mt-ask", command.command_id, kind, holder, attempt),
            kind=kind.value,
            command_id=command.command_id,
            handset=command.handset,
            sender_id=command.sender_id,
            attempt=entry.attempt,
            holder=holder,
            at=self._now(),
        )

    async def _call(self, entry: Entry, deadline: float, parts: tuple[int, ...]) -> None:
        desk = self._desk_of(entry)
        if desk is None:
            raise RuntimeError("a permit for an API that is not there")
        submission = Submission(command=entry.command, attempt=entry.attempt, parts=parts)

        def may_go() -> bool:
            return time.monotonic() < deadline and not entry.is_given_up

        span = CallSpan(entry, desk.api)
        answers = await desk.make_call(submission, may_go)
        span.end(answers)
        if answers is None:
            entry.step = Step.GIVING_BACK
            metrics.GIVEN_BACK.labels(desk.api.api_id).inc()
            await self.withdraw(entry)
            return
        result = result_of_answers(
            entry.command,
            answers,
            api=desk.api,
            attempt=entry.attempt,
            holder=entry.holder,
            at=self._now(),
        )
        self._untold += 1
        self._told.clear()
        try:
            with carrying(span.headers):
                await self._post.tell(result)
        finally:
            self._untold -= 1
            if not self._untold:
                self._told.set()
        if entry.step is Step.CALLING:
            entry.step = Step.TOLD
        entry.ask_again_at = time.monotonic() + ASK_AGAIN_SECONDS
        desk.free(entry)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("command %s met a defect", LoggedId(task.get_name()), exc_info=error)


def _is_written(entry: Entry) -> bool:
    """Whether Kafka has the last ask of the command."""
    return entry.asking is None or entry.asking.done()
