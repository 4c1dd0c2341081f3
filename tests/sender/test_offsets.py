"""A restart begins at the first offset that is not done, in whatever order offsets become done."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.sender.offsets import LowWater


def test_there_is_no_mark_before_anything_was_taken() -> None:
    assert LowWater().mark is None


@given(
    gaps=st.lists(st.integers(1, 3), min_size=1, max_size=40),  # transactions leave gaps
    data=st.data(),
)
def test_the_mark_is_the_first_that_is_not_done(gaps: list[int], data: st.DataObject) -> None:
    offsets = [sum(gaps[:number]) for number in range(1, len(gaps) + 1)]
    water = LowWater()
    for offset in offsets:
        water.take(offset)
    left = list(offsets)
    for offset in data.draw(st.permutations(offsets)):
        water.finish(offset)
        left.remove(offset)
        assert water.open <= len(offsets)
        assert water.mark == (min(left) if left else offsets[-1] + 1)
        assert water.open == sum(offset >= (water.mark or 0) for offset in offsets)


def test_what_is_taken_later_is_behind_what_is_open() -> None:
    water = LowWater()
    water.take(5)
    water.take(6)
    water.finish(6)
    water.take(7)
    water.finish(7)
    assert (water.mark, water.open) == (5, 3)
    water.finish(5)
    assert (water.mark, water.open) == (8, 0)
