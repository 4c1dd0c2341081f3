"""The queue of one API: asks for permits as fast as rate, window and circuit allow, and calls."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from pipeline.process.log_guard import without_quoted
from pipeline.process.log_ids import LoggedId
from pipeline.records import Outcome
from pipeline.sender import metrics
from pipeline.sender.calls.bucket import Bucket
from pipeline.sender.calls.circuit import Circuit
from pipeline.sender.entry import Entry, Step
from pipeline.sender.way import Answer, PermitEnded, ProbeFailed, Submission, Trouble

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pipeline.sender.apis.api import Api
    from pipeline.sender.way import Way

log = logging.getLogger("twoway.sender")

#: Attempts asked for or under way, for each that may be under way: permits come while others call.
_AHEAD: Final = 2
_LEEWAY_SECONDS: Final = 5.0  # beyond the API's own time-out, which its way keeps


class Desk:
    """The commands of one API that wait for an attempt, and the calls that they make."""

    def __init__(self, api: Api, way: Way, *, window: int) -> None:
        self.api = api
        self.way = way
        self.bucket = Bucket(api.rate)
        self.circuit = Circuit()
        self._ready: deque[Entry] = deque()
        self._something = asyncio.Event()
        self._slots = asyncio.Semaphore(window * _AHEAD)
        self._calls = asyncio.Semaphore(window)
        self._holding: set[Entry] = set()
        self._freed = asyncio.Event()

    def queue(self, entry: Entry) -> None:
        """Queue a command; it asks for a permit when its turn comes."""
        self._ready.append(entry)
        self._something.set()

    def free(self, entry: Entry) -> None:
        """Give the place of a command, which no longer asks or calls, to another command."""
        if entry in self._holding:
            self._holding.discard(entry)
            self._slots.release()
            self._freed.set()

    async def run(self, ask: Callable[[Entry], Awaitable[None]]) -> None:
        """Call `ask` for one command after another, until cancelled."""
        while True:
            if not self._ready:
                self._something.clear()
                await self._something.wait()
            await self._until_usable()
            await self._slots.acquire()
            entry = self._next()
            if entry is None:
                self._slots.release()
                continue
            await self.bucket.take(max(1, entry.command.parts))
            is_wanted = entry.step is Step.QUEUED and not entry.is_given_up
            if self.circuit.seconds_to_wait or not is_wanted:
                self._slots.release()
                if is_wanted:
                    self._ready.appendleft(entry)
                continue
            self._holding.add(entry)
            entry.step = Step.ASKED
            metrics.ASKED.labels(self.api.api_id).inc()
            await ask(entry)

    def _next(self) -> Entry | None:
        while self._ready:
            entry = self._ready.popleft()
            if entry.step is Step.QUEUED and not entry.is_given_up:
                return entry
        return None

    async def _until_usable(self) -> None:
        """Wait while the circuit is open, the gateway throttles, or another command tries it."""
        while True:
            seconds = self.circuit.seconds_to_wait
            if seconds:
                await asyncio.sleep(seconds)
            elif self.circuit.is_open:
                await self._probe()
            elif self.circuit.is_trying and self._holding:
                self._freed.clear()
                await self._freed.wait()
            else:
                return

    async def _probe(self) -> None:
        try:
            words = await self.way.probe()
        except ProbeFailed as error:
            self.circuit.probe_failed(str(error))
            words = without_quoted(str(error))
            log.warning("API %s still does not take anything: %s", self.api.api_id, words)
        except Exception as error:  # the other APIs go on
            self.circuit.probe_failed(f"{type(error).__name__} in the probe")
            log.error("a probe of API %s met a defect", self.api.api_id, exc_info=error)
        else:
            self.circuit.probe_succeeded()
            metrics.CIRCUIT_OPEN.labels(self.api.api_id).set(0)
            log.info("API %s answers again: %s", self.api.api_id, without_quoted(words))

    async def make_call(
        self, submission: Submission, may_go: Callable[[], bool]
    ) -> Sequence[Answer] | None:
        """Make the one call of a permit; return None if the permit had ended: nothing was sent."""
        begun = time.monotonic()
        async with self._calls:
            if not may_go():
                return None
            metrics.PERMITS.labels(self.api.api_id).inc()
            with metrics.IN_FLIGHT.labels(self.api.api_id).track_inprogress():
                answers = await self._submit(submission, may_go)
        metrics.CALL_SECONDS.labels(self.api.way).observe(time.monotonic() - begun)
        if answers:
            self._note(answers)
        return answers

    async def _submit(
        self, submission: Submission, may_go: Callable[[], bool]
    ) -> Sequence[Answer] | None:
        try:
            async with asyncio.timeout(self.api.timeout_seconds + _LEEWAY_SECONDS):
                return await self.way.submit(submission, may_go)
        except PermitEnded:
            return None
        except TimeoutError:
            words = f"no answer within {self.api.timeout_seconds:g} s"
            return [Answer(outcome=Outcome.UNKNOWN, words=words, trouble=Trouble.UNREACHABLE)]
        except Exception as error:  # whatever it is: octets may have left
            named = LoggedId(submission.command.command_id)
            words = "the call by API %s for command %s met a defect"
            log.error(words, self.api.api_id, named, exc_info=error)
            words = f"{type(error).__name__} in the sender while it was sent"
            return [Answer(outcome=Outcome.UNKNOWN, words=words)]

    def _note(self, answers: Sequence[Answer]) -> None:
        """Count the answers; give the circuit the first one that failed, else the first.

        Parts are sent in sequence: the answers after a failed one repeat it.
        """
        for answer in answers:
            metrics.RESULTS.labels(self.api.api_id, answer.outcome.value).inc()
        telling = next((a for a in answers if a.outcome is not Outcome.SUBMITTED), answers[0])
        was_open = self.circuit.is_open
        self.circuit.note(telling)
        if self.circuit.is_open and not was_open:
            metrics.CIRCUIT_OPEN.labels(self.api.api_id).set(1)
            # The gateway was told texts, and may quote one; the whole words are in mt_result.
            words = without_quoted(telling.words)
            log.error("API %s does not take anything, commands wait: %s", self.api.api_id, words)
