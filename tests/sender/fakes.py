"""A sender without Kafka and without a gateway; time passes only while something waits for it."""

from __future__ import annotations

import asyncio
import selectors
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from pipeline.records import CommandState, MtCommand, MtState, Outcome
from pipeline.sender import sender as sender_module
from pipeline.sender.apis.api import Api, WayName
from pipeline.sender.calls import attempts as attempts_module
from pipeline.sender.calls import desk as desk_module
from pipeline.sender.calls.circuit import Circuit
from pipeline.sender.calls.desk import Desk
from pipeline.sender.sender import CommandSender
from pipeline.sender.way import Answer, Found, PermitEnded, ProbeFailed, Submission
from tests.support.commands import NOON, command_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    import pytest

    from pipeline.records import MtAsk, MtResult

PERMIT = timedelta(seconds=10)


@dataclass
class Clock:
    """Seconds, from an arbitrary start."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


class _Skipping(selectors.DefaultSelector):
    """Waits for nothing: the clock moves to the time of the event loop's next timer."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing will ever happen"
        self._clock.now += max(0.0, timeout)
        return super().select(0)


@dataclass
class FakePost:
    """Keeps what is written; while `is_away`, nothing is acknowledged."""

    asks: list[MtAsk] = field(default_factory=list)
    results: list[MtResult] = field(default_factory=list)
    there: asyncio.Event = field(default_factory=asyncio.Event)
    is_reachable: bool = True
    slow: dict[str, float] = field(default_factory=dict)  # seconds until it is written, by kind

    def __post_init__(self) -> None:
        self.there.set()

    async def ask(self, ask: MtAsk) -> None:
        await self.there.wait()
        if seconds := self.slow.get(ask.kind):
            await asyncio.sleep(seconds)
        self.asks.append(ask)

    async def tell(self, result: MtResult) -> None:
        await self.there.wait()
        self.results.append(result)

    def said(self, start: int = 0) -> list[tuple[str, str, int]]:
        """Asks and withdrawals: kind, the last digits of the command's id, attempt."""
        return [(ask.kind, ask.command_id[-2:], ask.attempt) for ask in self.asks[start:]]


@dataclass
class FakeWay:
    """Takes everything; while `answering` is cleared, octets have left and no answer comes."""

    calls: list[Submission] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=lambda: [Answer(outcome=Outcome.SUBMITTED)])
    answering: asyncio.Event = field(default_factory=asyncio.Event)
    connecting: asyncio.Event = field(default_factory=asyncio.Event)
    found: Found | None = None
    questions: list[str] = field(default_factory=list)
    probes: int = 0
    probe_words: str = ""  # of the probe that fails; empty: it goes through
    probe_raises: Exception | None = None
    raises: Exception | None = None
    most_at_a_time: int = 0
    _at_a_time: int = 0

    def __post_init__(self) -> None:
        self.answering.set()
        self.connecting.set()

    async def submit(self, submission: Submission, may_go: Callable[[], bool]) -> Sequence[Answer]:
        self._at_a_time += 1
        self.most_at_a_time = max(self.most_at_a_time, self._at_a_time)
        try:
            await self.connecting.wait()
            if not may_go():
                raise PermitEnded
            self.calls.append(submission)
            await self.answering.wait()
            if self.raises is not None:
                raise self.raises
            return self.answers
        finally:
            self._at_a_time -= 1

    async def probe(self) -> str:
        self.probes += 1
        if self.probe_raises is not None:
            raise self.probe_raises
        if self.probe_words:
            raise ProbeFailed(self.probe_words)
        return "well"

    async def ask_about(self, command_id: str) -> Found | None:
        self.questions.append(command_id)
        return self.found

    async def close(self) -> None: ...


class Office:
    """One sender with one API and partitions 0 and 1; the test plays the worker."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, window: int = 2, **given: Any) -> None:
        self.clock = Clock()
        monkeypatch.setattr(sender_module, "time", SimpleNamespace(monotonic=self.clock))
        monkeypatch.setattr(attempts_module, "time", SimpleNamespace(monotonic=self.clock))
        monkeypatch.setattr(desk_module, "time", SimpleNamespace(monotonic=self.clock))
        self.post = FakePost()
        self.ways = {"1234": FakeWay(), **given.pop("ways", {})}
        self.way = self.ways["1234"]
        self.desks = {
            api_id: self._desk(api_id, way, window, given) for api_id, way in self.ways.items()
        }
        self.sender = CommandSender(self.desks, default="", post=self.post, now=self.now)
        self.sender.assign([0, 1], of=4)
        self._offset = 0

    def _desk(self, api_id: str, way: FakeWay, window: int, given: dict[str, Any]) -> Desk:
        api = Api(**{"api_id": api_id, "way": WayName.HTTP, "window": window} | given)
        desk = Desk(api, way, window=window)
        desk.circuit = Circuit(clock=self.clock)
        return desk

    def now(self) -> datetime:
        return NOON + timedelta(seconds=self.clock.now - 1_000.0)

    def play(self, scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run the scenario beside the sender."""

        async def both() -> None:
            running = asyncio.create_task(self.sender.run())
            try:
                await scenario()
                assert not running.done()
            finally:
                running.cancel()
                await asyncio.wait([running])

        loop = asyncio.SelectorEventLoop(_Skipping(self.clock))
        loop.time = self.clock  # type: ignore[method-assign]
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(both())

    def take(self, last: str, *, partition: int = 0, **given: Any) -> MtCommand:
        """Give the sender a command whose id ends with these two digits."""
        command = command_of(command_id="e3f19b7c5d0a4862b1c7f4093ad862" + last, **given)
        self.sender.take(command, partition, self._offset)
        self._offset += 1
        return command

    async def asked(self, last: str = "01", **given: Any) -> MtCommand:
        """Take a command, and let the sender ask for its attempt."""
        command = self.take(last, **given)
        await settle()
        return command

    async def called(self, last: str = "01", **given: Any) -> MtCommand:
        """Take a command, permit its attempt, and let the sender make the call."""
        command = await self.asked(last, **given)
        self.permit(command)
        await settle()
        return command

    def holder_of(self, command: MtCommand) -> str:
        """The holder of the last ask."""
        return next(
            a.holder for a in reversed(self.post.asks) if a.command_id == command.command_id
        )

    def say(self, command: MtCommand, state: CommandState, **given: Any) -> None:
        """The worker's state of the command."""
        fields: dict[str, Any] = {
            "state_id": "s",
            "command_id": command.command_id,
            "request_id": command.request_id,
            "handset": command.handset,
            "state": state.value,
            "attempt": 0,
            "parts": [],
            "holder": "",
            "until": None,
            "retry_at": None,
            "behind": "",
            "gateway_message_ids": [],
            "code": "",
            "words": "",
            "charge": "",
            "charge_units": 0,
            "source": "ask",
            "ask_gateway": False,
            "consent_asked_at": None,
            "at": self.now(),
        }
        self.sender.hear(MtState(**fields | given))

    def permit(self, command: MtCommand, attempt: int = 1, **given: Any) -> None:
        """The worker permits the last ask."""
        holder = self.holder_of(command)
        until = self.now() + PERMIT
        fields = {"attempt": attempt, "holder": holder, "until": until}
        self.say(command, CommandState.PERMITTED, **fields | given)


async def settle() -> None:
    """Let everything run that waits for no time."""
    for _ in range(30):
        await asyncio.sleep(0)


async def ends(work: Awaitable[object]) -> bool:
    """Whether it ends without any time passing."""
    task = asyncio.ensure_future(work)
    await settle()
    return task.done()
