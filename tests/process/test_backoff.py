"""The waits between tries: doubled, bounded, and back to the start after a success."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.process.backoff import Backoff, backoff_seconds, spread


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0.5), (1, 0.5), (2, 1.0), (3, 2.0), (5, 8.0), (6, 10.0), (10_000, 10.0)],
)
def test_a_wait_is_doubled_up_to_the_longest(failures: int, seconds: float) -> None:
    assert backoff_seconds(failures, shortest=0.5, longest=10.0) == seconds


def test_a_success_begins_anew() -> None:
    backoff = Backoff(0.5, 10.0)
    assert [backoff.failed() for _ in range(3)] == [0.5, 1.0, 2.0]
    backoff.succeeded()
    assert backoff.failed() == 0.5


@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 4.0), (0.5, 6.0), (1.0, 8.0)])
def test_a_wait_is_spread_over_its_second_half(chance: float, seconds: float) -> None:
    assert spread(8.0, chance=chance) == seconds


@given(st.floats(min_value=0, max_value=1e6))
def test_a_random_wait_is_at_least_half_and_at_most_all(seconds: float) -> None:
    assert seconds / 2 <= spread(seconds) <= seconds
