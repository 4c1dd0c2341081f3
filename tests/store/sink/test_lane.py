"""Blocks are cut from a lane by rows, octets and age; an unfinished block comes again unchanged."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.batch import Batch
from pipeline.kafka import topics
from pipeline.store.sink.block import Block, end_from_metadata, metadata_from_end, token_of
from pipeline.store.sink.lane import BlockLimits, Lane, OffsetGap
from tests.store.samples import kafka_record

TOPIC = topics.MO_MESSAGE


def batch(start: int, end: int, *, partition: int = 0, octets: bytes = b"x") -> Batch:
    records = [
        kafka_record(TOPIC, octets, offset=offset, partition=partition)
        for offset in range(start, end)
    ]
    return Batch(TOPIC, partition, records, start, end)


def lane_of(offsets: dict[int, int], unfinished: Any = (), **limits: Any) -> Lane:
    lane = Lane(TOPIC, BlockLimits(**({"rows": 5, "seconds": 1.0} | limits)))
    lane.assign(offsets, unfinished)
    return lane


def test_a_block_closes_at_its_rows() -> None:
    lane = lane_of({0: 0})
    lane.add(batch(0, 4), now=0)
    assert lane.next_block(now=0.9) is None
    lane.add(batch(4, 12), now=0.9)
    block = lane.next_block(now=0.9)
    assert block is not None
    assert (block.bounds, len(block.records)) == ({0: (0, 5)}, 5)


def test_a_block_closes_at_its_age() -> None:
    lane = lane_of({0: 0, 1: 7})
    lane.add(batch(0, 2), now=0)
    lane.add(batch(7, 8, partition=1), now=0.5)
    assert lane.due_at() == 1.0
    block = lane.next_block(now=1.0)
    assert block is not None
    assert block.bounds == {0: (0, 2), 1: (7, 8)}
    assert lane.due_at() is None


def test_a_block_closes_at_its_octets() -> None:
    lane = lane_of({0: 0}, octets=10)
    lane.add(batch(0, 2, octets=b"123456"), now=0)
    assert lane.next_block(now=0) is not None


def test_a_block_may_be_of_markers_alone() -> None:
    lane = lane_of({0: 0})
    lane.add(Batch(TOPIC, 0, [], 0, 3), now=0)
    assert lane.next_block(now=1.0) == Block(TOPIC, {0: (0, 3)}, [])


def test_what_was_read_before_is_passed_over() -> None:
    lane = lane_of({0: 3})
    lane.add(batch(0, 3), now=0)
    lane.add(batch(1, 5), now=0)
    block = lane.next_block(now=1)
    assert block is not None
    assert [record.offset for record in block.records] == [3, 4]


def test_a_partition_that_is_not_ours_is_passed_over() -> None:
    lane = lane_of({0: 0})
    lane.add(batch(5, 6, partition=9), now=0)
    assert lane.due_at() is None


def test_a_hole_is_refused() -> None:
    with pytest.raises(OffsetGap, match=r"mo-message\[0\] goes on at 4, not at 3"):
        lane_of({0: 3}).add(batch(4, 5), now=0)


def test_an_unfinished_block_goes_first_and_has_room_alone() -> None:
    lane = lane_of({0: 0, 1: 0}, [{0: (0, 7)}])
    assert (lane.has_room(0), lane.has_room(1)) == (True, False)
    lane.add(batch(0, 3, partition=1), now=0)
    lane.add(batch(0, 4), now=0)
    assert lane.next_block(now=99) is None
    lane.add(batch(4, 9), now=0)
    block = lane.next_block(now=0)
    assert block is not None
    assert (block.bounds, len(block.records)) == ({0: (0, 7)}, 7)
    after = lane.next_block(now=99)
    assert after is not None
    assert after.bounds == {1: (0, 3), 0: (7, 9)}


def test_a_lane_that_is_full_has_no_room() -> None:
    lane = lane_of({0: 0})
    lane.add(batch(0, 10), now=0)
    assert (lane.has_room(0), lane.is_full) == (False, False)
    lane.add(batch(10, 20), now=0)
    assert lane.is_full


@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), max_size=30),
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 9)), max_size=60),
    st.integers(1, 9),
)
def test_a_block_is_formed_again_from_its_bounds_however_it_is_read(
    polls: list[tuple[int, int]], polls_again: list[tuple[int, int]], rows: int
) -> None:
    lane = lane_of({0: 0, 1: 0, 2: 0}, rows=rows)
    ends = {0: 0, 1: 0, 2: 0}
    for partition, count in polls:
        lane.add(batch(ends[partition], ends[partition] + count, partition=partition), now=0)
        ends[partition] += count
    block = lane.next_block(now=1)
    if block is None:
        return
    again = lane_of({p: start for p, (start, _) in block.bounds.items()}, [block.bounds], rows=rows)
    at = {p: start for p, (start, _) in block.bounds.items()}
    for partition, count in [*polls_again, *((p, 1_000) for p in block.bounds)]:
        if partition in at:
            again.add(batch(at[partition], at[partition] + count, partition=partition), now=0)
            at[partition] += count
    formed = again.next_block(now=0)
    assert formed is not None
    assert (formed.token, formed.records) == (block.token, block.records)


@given(st.dictionaries(st.integers(0, 50), st.tuples(st.integers(0, 2**60), st.integers(0, 2**60))))
def test_the_token_names_topic_and_bounds(bounds: dict[int, tuple[int, int]]) -> None:
    reordered = dict(reversed(bounds.items()))
    assert token_of(TOPIC, bounds) == token_of(TOPIC, reordered)
    assert token_of(TOPIC, bounds) != token_of(topics.MO_RAW, bounds)
    assert token_of(TOPIC, bounds) != token_of(TOPIC, bounds | {99: (0, 1)})


@pytest.mark.parametrize(
    "metadata", ["", "block-1", "block-2 ab 3", "block-1 ab x", "12;2026-01-01"]
)
def test_other_metadata_is_none_of_ours(metadata: str) -> None:
    assert end_from_metadata(metadata) is None


def test_metadata_is_read_back() -> None:
    assert end_from_metadata(metadata_from_end(tag="ab", end=2**40)) == ("ab", 2**40)
