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
from prometheus_client import REGISTRY

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.records import MtState
from pipeline.sender import consumer as module
from pipeline.sender import partitions
from pipeline.sender.consumer import feed
from pipeline.sender.partitions import Partitions, commit
from tests.sender.fakes import Office
from tests.store.report.scene import sample
from tests.store.samples import kafka_record
from tests.support.commands import command_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiokafka.structs import ConsumerRecord

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
            feed(office.sender, "broker:9092", ended=ended, reads=told.append, waits_for={})
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
        feed(office.sender, "broker:9092", ended=ended, reads=lambda _: None, waits_for={})
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


class Log:
    """A member with commands in two partitions, which are polled from where it stands."""

    def __init__(self, values: dict[TopicPartition, list[bytes | None]]) -> None:
        self.values = values
        self.at = dict.fromkeys(values, 0)
        self.stopped: set[TopicPartition] = set()
        self.committed: dict[TopicPartition, int] = {}

    def assignment(self) -> set[TopicPartition]:
        return set(self.values)

    def partitions_for_topic(self, _: str) -> set[int]:
        return {0, 1}

    def seek(self, place: TopicPartition, offset: int) -> None:
        self.at[place] = offset

    def pause(self, *places: TopicPartition) -> None:
        self.stopped |= set(places)

    def resume(self, *places: TopicPartition) -> None:
        self.stopped -= set(places)

    def paused(self) -> set[TopicPartition]:
        return set(self.stopped)

    async def commit(self, offsets: dict[TopicPartition, int]) -> None:
        self.committed |= offsets

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[ConsumerRecord]]:
        await asyncio.sleep(0.001)
        found = {}
        for place in self.values.keys() - self.stopped:
            at, self.at[place] = self.at[place], len(self.values[place])
            found[place] = [
                kafka_record(place.topic, value, partition=place.partition, offset=offset)
                for offset, value in enumerate(self.values[place][at:], at)
            ]
        return found


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(None, id="none"),
        pytest.param(b"not ours", id="another program's"),
        pytest.param(b"\xc3\x01" + bytes(8), id="of a schema that a newer version knows"),
        pytest.param(single_object.encode(command_of()) + b"!", id="one octet too many"),
        pytest.param(single_object.encode(sample(MtState)), id="of another kind"),
    ],
)
async def test_a_command_that_cannot_be_read_is_not_passed_over(
    monkeypatch: pytest.MonkeyPatch, value: bytes | None
) -> None:
    """Its partition waits and says why; the other goes on; a sender that can read it begins there.

    Expected: records of our own making brake, and the rest of the product goes on (SPEC 3).
    """
    here, other = (TopicPartition(topics.MT_COMMAND, partition) for partition in (0, 1))
    good = [single_object.encode(command_of(command_id=f"{n:032x}")) for n in range(6)]
    log = Log({here: [good[0], value, good[1]], other: good[2:4]})
    office, ending = Office(monkeypatch), asyncio.create_task(asyncio.Event().wait())
    waits_for: dict[int, str] = {}
    listener = Partitions(log, office.sender, waits_for)  # type: ignore[arg-type]
    await listener.on_partitions_assigned((here, other))
    handing = asyncio.create_task(
        module._hand_on_all(log, office.sender, listener, ending)  # type: ignore[arg-type]
    )
    async with asyncio.timeout(10):
        while log.at[other] < 2:  # noqa: ASYNC110 - no event tells
            await asyncio.sleep(0.001)
    log.values[other] += good[4:]
    await asyncio.sleep(0.05)
    handing.cancel()
    await asyncio.wait([handing])
    assert len(office.sender) == 1 + 4
    assert list(waits_for) == [0]
    assert "offset 1 cannot be read" in waits_for[0]
    assert log.at == {here: 1, other: 4}
    assert office.sender.marks() == {0: 0, 1: 0}
    assert REGISTRY.get_sample_value("twoway_sender_waiting") == 1
    await listener.on_partitions_revoked((here, other))
    assert (waits_for, REGISTRY.get_sample_value("twoway_sender_waiting")) == ({}, 0)
    ending.cancel()
