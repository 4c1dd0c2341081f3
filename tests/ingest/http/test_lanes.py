"""The batches of one partition: full, in order, one under way, dropped when their time is over."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from ingest.publish.lanes import Acknowledgement, PublishLane, settled

if TYPE_CHECKING:
    from collections.abc import Awaitable


@dataclass
class FakeBatch:
    """A batch of at most `room` records."""

    room: int
    values: list[bytes] = field(default_factory=list)

    def append(
        self, *, timestamp: int | None, key: bytes | None, value: bytes, headers: object = ()
    ) -> object | None:
        if len(self.values) >= self.room:
            return None
        self.values.append(value)
        return object()


@dataclass
class FakeSender:
    """Keeps what it is sent until the test answers."""

    room: int = 3
    sent: list[list[bytes]] = field(default_factory=list)
    answers: list[asyncio.Future[Any]] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def create_batch(self) -> FakeBatch:
        return FakeBatch(self.room)

    async def send_batch(self, batch: FakeBatch, topic: str, *, partition: int) -> Awaitable[Any]:
        assert (topic, partition) == ("topic", 2)
        self.sent.append(list(batch.values))
        self.answers.append(asyncio.get_running_loop().create_future())
        self.arrived.set()
        return self.answers[-1]

    async def next_batch(self) -> list[bytes]:
        """The batch that is sent next."""
        await self.arrived.wait()
        self.arrived.clear()
        return self.sent[-1]


@dataclass
class Heard:
    """What a lane reports to its publisher."""

    acknowledged: int = 0
    failures: list[Exception] = field(default_factory=list)

    def on_acknowledged(self) -> None:
        self.acknowledged += 1


def lane_to(sender: FakeSender, heard: Heard, *, timeout_seconds: float = 60.0) -> PublishLane:
    return PublishLane(
        "topic",
        2,
        producer=sender,
        timeout_seconds=timeout_seconds,
        on_acknowledged=heard.on_acknowledged,
        on_failed=heard.failures.append,
    )


async def test_records_share_a_batch_and_its_answer() -> None:
    sender, heard = FakeSender(), Heard()
    lane = lane_to(sender, heard)
    first, second = lane.append(b"k", b"1"), lane.append(b"k", b"2")
    assert await sender.next_batch() == [b"1", b"2"]
    assert not first.done()
    sender.answers[0].set_result(None)
    assert (await first, await second) == (True, True)
    await lane.drained()
    assert (heard.acknowledged, heard.failures) == (1, [])


async def test_one_batch_is_under_way_while_the_next_fills_and_order_is_kept() -> None:
    sender = FakeSender()
    lane = lane_to(sender, Heard())
    answers = [lane.append(None, b"0")]
    await sender.next_batch()
    answers += [lane.append(None, b"%d" % number) for number in range(1, 8)]
    for expected in ([b"0"], [b"1", b"2", b"3"], [b"4", b"5", b"6"], [b"7"]):
        assert sender.sent[-1] == expected
        sender.answers[-1].set_result(None)
        if expected != [b"7"]:
            await sender.next_batch()
    assert await asyncio.gather(*answers) == [True] * 8
    assert sender.sent == [[b"0"], [b"1", b"2", b"3"], [b"4", b"5", b"6"], [b"7"]]


async def test_what_waits_too_long_is_given_up_and_never_sent() -> None:
    sender, heard = FakeSender(), Heard()
    lane = lane_to(sender, heard, timeout_seconds=0.05)
    stuck = lane.append(None, b"stuck")
    await sender.next_batch()
    waiting = lane.append(None, b"waiting")
    assert (await stuck, await waiting) == (False, False)
    assert lane.is_stalled
    later = lane.append(None, b"later")
    sender.answers[0].set_result(None)  # Kafka came back: it has "stuck" after all
    assert await sender.next_batch() == [b"later"]
    sender.answers[1].set_result(None)
    assert await later
    await lane.drained()
    assert not lane.is_stalled
    assert sender.sent == [[b"stuck"], [b"later"]]


async def test_an_outage_keeps_no_more_than_what_is_still_waited_for() -> None:
    sender = FakeSender(room=100)
    lane = lane_to(sender, Heard(), timeout_seconds=0.01)
    lane.append(None, b"stuck")
    await sender.next_batch()
    for _ in range(20):
        assert not await lane.append(None, b"x")
    assert len(lane._waiting) <= 1


async def test_a_failed_batch_is_answered_and_told() -> None:
    sender, heard = FakeSender(), Heard()
    lane = lane_to(sender, heard)
    answer = lane.append(None, b"1")
    await sender.next_batch()
    sender.answers[0].set_exception(error := OSError("gone"))
    assert not await answer
    assert heard.failures == [error]


async def test_giving_up_answers_everybody() -> None:
    sender = FakeSender()
    lane = lane_to(sender, Heard())
    under_way = lane.append(None, b"1")
    await sender.next_batch()
    waiting = lane.append(None, b"2")
    lane.give_up()
    assert (await under_way, await waiting) == (False, False)


async def test_a_request_that_is_cancelled_leaves_the_answer_to_the_others() -> None:
    answer = Acknowledgement(loop=asyncio.get_running_loop())

    async def wait() -> bool:
        return await answer

    leaving, staying = asyncio.ensure_future(wait()), asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    leaving.cancel()
    answer.settle(True)
    assert await staying
    with pytest.raises(asyncio.CancelledError):
        await leaving


async def test_an_answer_is_given_once() -> None:
    answer = settled(True)
    answer.settle(False)
    assert await answer
