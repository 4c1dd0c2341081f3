"""The ticks that an advance writes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.operate.advance import STEP, tick_times
from pipeline.cli.operate.partitions import time_from_metadata

START = datetime(2026, 3, 29, 0, 59, 30, tzinfo=UTC)


@given(st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=2)))
def test_time_passes_in_steps_of_a_minute_and_ends_at_the_target(by: timedelta) -> None:
    times = [START, *tick_times(START, by)]
    steps = [later - earlier for earlier, later in pairwise(times)]
    assert all(timedelta() < step <= STEP for step in steps)
    assert all(step == STEP for step in steps[:-1])
    assert times[-1] == START + by


METADATA = [
    ("7;2026-11-22T15:00:00.000000+00:00", datetime(2026, 11, 22, 15, tzinfo=UTC)),
    ("7;", None),
    ("", None),
    ("anything", None),
]


@pytest.mark.parametrize(("metadata", "time"), METADATA, ids=[text for text, _ in METADATA])
def test_a_partitions_time_is_read_from_its_commit(metadata: str, time: datetime | None) -> None:
    assert time_from_metadata(metadata) == time
