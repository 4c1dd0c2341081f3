"""Where lines are looked for first: every time is in one stretch, and the nearest come first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.report.lists.cursor import Cursor
from pipeline.store.report.lists.filters import EARLIEST, LATEST
from pipeline.store.report.lists.stretches import TimeStretch, hours_of_some, stretches_from

TIMES = st.datetimes(
    EARLIEST.replace(tzinfo=None), LATEST.replace(tzinfo=None), timezones=st.just(UTC)
).map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000))
HOURS = st.lists(st.floats(0, 1e7), max_size=5).map(sorted)


def has(stretch: TimeStretch, at: datetime) -> bool:
    return (stretch.since is None or at >= stretch.since) and (
        stretch.until is None or at < stretch.until
    )


@given(begin=TIMES, hours=HOURS, is_newer=st.booleans(), at=st.lists(TIMES, max_size=6))
def test_every_time_is_in_one_stretch_and_they_are_in_the_cursors_order(
    begin: datetime, hours: list[float], is_newer: bool, at: list[datetime]
) -> None:
    found = list(stretches_from(begin, Cursor(is_newer=is_newer), hours))
    near = [each for stretch in found for each in stretch if each]
    times = sorted({*at, begin, *near}, reverse=not is_newer)
    places = [[n for n, stretch in enumerate(found) if has(stretch, each)] for each in times]
    assert all(len(each) == 1 for each in places)
    assert places == sorted(places)


@given(begin=TIMES, hours=HOURS, is_newer=st.booleans(), ends=st.tuples(TIMES, TIMES).map(sorted))
def test_no_stretch_is_behind_the_last_line_that_is_known(
    begin: datetime, hours: list[float], is_newer: bool, ends: list[datetime]
) -> None:
    oldest, newest = ends
    cursor = Cursor(is_newer=is_newer)
    every = list(stretches_from(begin, cursor, hours))
    first, *others = list(stretches_from(begin, cursor, hours, oldest=oldest, newest=newest))
    for stretch in others:
        assert stretch.since <= newest if is_newer else stretch.until > oldest
    assert [first, *others][:-1] == every[: len(others)]
    assert (others or [first])[-1][1 if is_newer else 0] is None


def test_without_a_begin_all_of_time_is_one_stretch() -> None:
    assert list(stretches_from(None, Cursor(), (1.0,))) == [TimeStretch()]
    assert TimeStretch().as_sql() == "1"


@pytest.mark.parametrize(
    ("found", "hours"), [(0, ()), (300, ()), (600, (120.0,)), (24_000, (3.0,))], ids=str
)
def test_the_first_stretch_is_as_long_as_300_commands_take(
    found: int, hours: tuple[float, ...]
) -> None:
    oldest = datetime(2026, 3, 4, tzinfo=UTC)
    assert hours_of_some(found, oldest, oldest + timedelta(days=10)) == hours
