"""The order in which records are taken, and what happens when records are missing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.batch import Batch
from pipeline.engine.intake import ROOM_RECORDS, Gap, Intake

TOPICS = ("mo", "request", "clock")


def record(topic: str, offset: int, timestamp: int) -> SimpleNamespace:
    return SimpleNamespace(topic=topic, partition=0, offset=offset, timestamp=timestamp, value=b"")


def batch(topic: str, *records: tuple[int, int], start: int | None = None, end: int | None = None):
    """A batch of (offset, timestamp) pairs."""
    first = start if start is not None else records[0][0]
    last = end if end is not None else records[-1][0] + 1
    return Batch(topic, 0, [record(topic, *r) for r in records], first, last)


class Log:
    """The topics as the broker has them; the end offsets are correct when they are asked."""

    def __init__(self) -> None:
        self.ends = dict.fromkeys(TOPICS, 0)
        self.asked = 0

    async def __call__(self) -> dict[str, int]:
        self.asked += 1
        return dict(self.ends)


def names(records) -> list[str]:
    return [f"{r.topic}{r.offset}" for r in records]


async def taken_now(intake: Intake, limit: int = 100) -> list[str]:
    """The records that can be taken without a new arrival."""
    try:
        return names(await asyncio.wait_for(intake.next_records(limit), timeout=0.05))
    except TimeoutError:
        return []


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def intake(log: Log) -> Intake:
    return Intake(topics=TOPICS, ends=log, may_skip=frozenset({"clock"}))


async def test_broker_time_orders_records_of_different_topics(log, intake):
    log.ends = {"mo": 2, "request": 1, "clock": 0}
    intake.add(batch("request", (0, 15)))
    intake.add(batch("mo", (0, 10), (1, 20)))
    assert await taken_now(intake) == ["mo0", "request0", "mo1"]


async def test_a_clock_set_back_neither_stops_nor_reorders_a_topic(log, intake):
    log.ends = {"mo": 4, "request": 1, "clock": 0}
    intake.add(batch("mo", (0, 10), (1, 30), (2, 12), (3, 13)))
    intake.add(batch("request", (0, 20)))
    taken: list[str] = []
    while more := await taken_now(intake, 2):
        taken += more
        places = {topic: taken.count(f"{topic}0") for topic in TOPICS}
        assert intake.next_offsets()["mo"] == sum(name.startswith("mo") for name in taken)
        assert intake.next_offsets()["request"] == places["request"]
    assert taken == ["mo0", "request0", "mo1", "mo2", "mo3"]


async def test_rank_decides_a_tie_of_times(log, intake):
    log.ends = {"mo": 1, "request": 1, "clock": 1}
    for topic in reversed(TOPICS):
        intake.add(batch(topic, (0, 10)))
    assert await taken_now(intake) == ["mo0", "request0", "clock0"]


async def test_a_request_waits_for_an_mo_that_was_acknowledged_before_it(log, intake):
    log.ends = {"mo": 1, "request": 1, "clock": 0}
    intake.add(batch("request", (0, 11)))
    assert await taken_now(intake) == []
    intake.add(batch("mo", (0, 10)))
    assert await taken_now(intake) == ["mo0", "request0"]


async def test_transaction_markers_at_the_end_do_not_stall_it(log, intake):
    log.ends = {"mo": 3, "request": 1, "clock": 0}
    intake.add(batch("request", (0, 11)))
    intake.add(batch("mo", start=0, end=3))
    assert await taken_now(intake) == ["request0"]


async def test_an_idle_partition_does_not_stall_it(log, intake):
    log.ends = {"mo": 0, "request": 1, "clock": 0}
    intake.add(batch("request", (0, 11)))
    assert await taken_now(intake) == ["request0"]


async def test_a_backlog_is_taken_up_to_where_every_topic_is_known(log, intake):
    log.ends = {"mo": 1_000, "request": 2, "clock": 0}
    intake.add(batch("mo", (0, 10), (1, 20)))
    intake.add(batch("request", (0, 5), (1, 30)))
    # mo goes on after 20, so only what lies before 20 is certain.
    assert await taken_now(intake) == ["request0", "mo0"]
    intake.add(batch("mo", (2, 40)))
    assert await taken_now(intake) == ["mo1", "request1"]


async def test_a_gap_is_said_and_nothing_of_it_is_taken(intake):
    intake.add(batch("mo", (0, 10)))
    with pytest.raises(Gap, match=r"mo\[0\] goes on at 5, not at 1"):
        intake.add(batch("mo", (5, 20)))


async def test_ticks_may_be_missing(log, intake):
    log.ends = {"mo": 0, "request": 0, "clock": 6}
    intake.add(batch("clock", (0, 10)))
    intake.add(batch("clock", (5, 20)))
    assert await taken_now(intake) == ["clock0", "clock5"]


async def test_what_is_done_is_dropped_whenever_it_arrives(log, intake):
    log.ends = {"mo": 4, "request": 0, "clock": 0}
    intake.add(batch("mo", (0, 10), (1, 20)))
    intake.begin_at({"mo": 2})
    intake.add(batch("mo", (2, 30), (3, 40)))
    assert await taken_now(intake) == ["mo2", "mo3"]


@pytest.mark.parametrize("held_first", [True, False])
async def test_a_start_above_what_is_done_is_a_gap(intake, held_first):
    if held_first:
        intake.add(batch("mo", (7, 10)))
        with pytest.raises(Gap, match="begins at 7"):
            intake.begin_at({"mo": 5})
    else:
        intake.begin_at({"mo": 5})
        with pytest.raises(Gap, match="not at 5"):
            intake.add(batch("mo", (7, 10)))


async def test_next_offsets_say_where_to_read_on(log, intake):
    log.ends = {"mo": 3, "request": 2, "clock": 0}
    intake.add(batch("mo", (0, 10), (1, 11), (2, 12)))
    intake.add(batch("request", start=0, end=2))
    assert names(await intake.next_records(2)) == ["mo0", "mo1"]
    assert intake.next_offsets() == {"mo": 2, "request": 2}
    assert names(await intake.next_records(2)) == ["mo2"]
    assert intake.next_offsets() == {"mo": 3, "request": 2}


async def test_room_ends_at_the_bound_but_not_within_one_millisecond(intake):
    same = [(n, 10) for n in range(ROOM_RECORDS)]
    intake.add(batch("mo", *same))
    assert intake.has_room("mo")
    intake.add(batch("mo", (ROOM_RECORDS, 11)))
    assert not intake.has_room("mo")


@given(
    data=st.data(),
    logs=st.tuples(*(st.lists(st.integers(0, 9), max_size=12).map(sorted) for _ in TOPICS)),
)
def test_any_arrival_order_gives_the_one_order(data, logs):
    """However the polls cut and interleave the topics, the order is the order of the sorted log."""
    everything = sorted(
        (timestamp, rank, offset)
        for rank, log_ in enumerate(logs)
        for offset, timestamp in enumerate(log_)
    )
    expected = [f"{TOPICS[rank]}{offset}" for _, rank, offset in everything]

    async def run() -> list[str]:
        log = Log()
        log.ends = {topic: len(log_) for topic, log_ in zip(TOPICS, logs, strict=True)}
        intake = Intake(topics=TOPICS, ends=log)
        taken: list[str] = []
        at = [0] * len(TOPICS)
        while any(at[rank] < len(log_) for rank, log_ in enumerate(logs)):
            rank = data.draw(
                st.sampled_from([r for r, log_ in enumerate(logs) if at[r] < len(log_)])
            )
            cut = data.draw(st.integers(at[rank] + 1, len(logs[rank])))
            rows = [(offset, logs[rank][offset]) for offset in range(at[rank], cut)]
            intake.add(batch(TOPICS[rank], *rows))
            at[rank] = cut
            limit = data.draw(st.integers(1, 5))
            task = asyncio.ensure_future(intake.next_records(limit))
            for _ in range(5):
                await asyncio.sleep(0)
            if task.done():
                taken += names(task.result())
            else:
                task.cancel()
        while len(taken) < len(expected):
            taken += names(await intake.next_records(3))
        return taken

    assert asyncio.run(run()) == expected
