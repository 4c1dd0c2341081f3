"""What feeds a sender: whatever Kafka does, it begins anew; a defect is raised."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import TopicPartition
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
)

from pipeline.kafka import topics
from pipeline.sender import consumer as module
from pipeline.sender import partitions
from pipeline.sender.consumer import feed
from pipeline.sender.partitions import Partitions, commit
from tests.sender.fakes import Office

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = (TopicPartition(topics.MT_COMMAND, 0), TopicPartition(topics.MT_STATE, 0))


class FakeConsumer:
    """A member of the group; each function fails as it is told to."""

    def __init__(self, failures: dict[str, BaseException]) -> None:
        self.failures = failures
        self.listener: Partitions | None = None
        self.did: list[str] = []

    async def _do(self, name: str) -> None:
        self.did.append(name)
        await asyncio.sleep(0)
        if name in self.failures:
            raise self.failures[name]

    def subscribe(self, *, topics: list[str], listener: Partitions) -> None:
        self.listener = listener

    async def start(self) -> None:
        await self._do("start")
        assert self.listener is not None
        await self.listener.on_partitions_assigned(HERE)

    async def seek_to_end(self, *_: TopicPartition) -> None:
        await self._do("seek_to_end")

    async def position(self, _: TopicPartition) -> int:
        return 0

    def partitions_for_topic(self, _: str) -> set[int]:
        return {0}

    def assignment(self) -> tuple[TopicPartition, ...]:
        return HERE

    def paused(self) -> set[TopicPartition]:
        return set()

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[Any]]:
        await self._do("getmany")
        await asyncio.sleep(0.01)
        return {}

    async def commit(self, _: dict[TopicPartition, int]) -> None:
        await self._do("commit")

    async def stop(self) -> None:
        await self._do("stop")


class Members:
    """Consumers in their turn; the last one is as good as any."""

    def __init__(self, *failures: dict[str, BaseException]) -> None:
        self._failures = [*failures, {}]
        self.made: list[FakeConsumer] = []

    @property
    def last_reads(self) -> bool:
        return len(self.made) == len(self._failures) and "getmany" in self.made[-1].did

    def make(self, _: str) -> FakeConsumer:
        failures = self._failures[len(self.made)]
        self.made.append(FakeConsumer(failures))
        return self.made[-1]


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Feeds a sender by these members until the last of them reads; who was made, what was told."""

    async def run(*failures: dict[str, BaseException]) -> tuple[list[FakeConsumer], list[bool]]:
        members, told, ended = Members(*failures), list[bool](), asyncio.Event()
        monkeypatch.setattr(module, "_consumer", members.make)
        monkeypatch.setattr(module, "BACKOFF_SECONDS", (0.01, 0.02))
        office = Office(monkeypatch)
        feeding = asyncio.create_task(
            feed(office.sender, "broker:9092", ended=ended, reads=told.append)
        )
        async with asyncio.timeout(10):
            while not feeding.done() and not members.last_reads:  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(0.01)
        ended.set()
        async with asyncio.timeout(10):
            await feeding
        return members.made, told

    return run


@pytest.mark.parametrize(
    "failures",
    [
        {"start": KafkaConnectionError("no broker")},
        {"getmany": KafkaError("Unexpected error during coordination")},
        {"seek_to_end": KafkaTimeoutError("no leader")},
        {"getmany": KafkaTimeoutError(), "commit": KafkaTimeoutError()},
        {"getmany": IllegalStateError("not assigned")},
    ],
    ids=str,
)
async def test_after_a_failure_of_kafkas_another_member_reads(
    fed: Callable[..., Any], failures: dict[str, BaseException]
) -> None:
    made, told = await fed(failures)
    assert len(made) == 2
    assert all(member.did[-1] == "stop" for member in made)
    assert told[-3:] == [False, True, False]


async def test_it_ends_while_it_is_still_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    class Starting(FakeConsumer):
        async def start(self) -> None:
            await asyncio.Event().wait()

    starting = Starting({})
    monkeypatch.setattr(module, "_consumer", lambda _: starting)
    ended = asyncio.Event()
    office = Office(monkeypatch)
    feeding = asyncio.create_task(
        feed(office.sender, "broker:9092", ended=ended, reads=lambda _: None)
    )
    await asyncio.sleep(0.05)
    ended.set()
    async with asyncio.timeout(5):
        await feeding
    assert starting.did == ["stop"]


@pytest.mark.parametrize("name", ["getmany", "seek_to_end", "start"])
async def test_a_defect_is_raised_and_the_partitions_are_given_up(
    fed: Callable[..., Any], name: str
) -> None:
    with pytest.raises(KeyError):
        await fed({name: KeyError("a defect")})


async def test_commits_that_die_of_a_defect_are_seen(
    fed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(module, "commit_often", broken)
    with pytest.raises(KeyError):
        await fed({"never": KeyError()}, {"never": KeyError()})


async def test_a_consumer_that_does_not_end_stops_the_process(
    fed: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would stay a member of the group beside the next one."""

    class Stopped(Exception):
        pass

    def stop_loudly(what: str, error: BaseException) -> None:
        raise Stopped(what, type(error))

    monkeypatch.setattr(module, "stop_loudly", stop_loudly)
    with pytest.raises(Stopped) as raised:
        await fed({"getmany": KafkaError(), "stop": KafkaError()})
    assert raised.value.args == ("the consumer does not end", KafkaError)


@pytest.mark.parametrize("error", [CommitFailedError(), KafkaTimeoutError(), None], ids=repr)
async def test_a_commit_that_fails_or_hangs_is_made_up_for_by_the_next(
    monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    class Hanging:
        async def commit(self, _: object) -> None:
            if error is not None:
                raise error
            await asyncio.Event().wait()

    monkeypatch.setattr(partitions, "LONGEST_COMMIT_SECONDS", 0.01)
    await commit(Hanging(), {0: 7})


async def test_what_aiokafka_cancels_by_itself_is_a_failure_of_kafka() -> None:
    """It cancels a request whose answer is nonsense; nobody asked this process to end."""

    async def cancelled() -> None:
        raise asyncio.CancelledError

    ending = asyncio.create_task(asyncio.Event().wait())
    try:
        with pytest.raises(KafkaError):
            await module._unless(ending, cancelled())
    finally:
        ending.cancel()
