"""The schedule of attempts (G8.3.1)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.stages.delivering.schedule import LONGEST_ASKED, next_attempt

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_attempts_are_the_guides() -> None:
    """2 minutes after the original attempt, then 4, 8, 16, 32, 64 and 128 after the last."""
    at, attempts = NOON, []
    for attempt in range(1, 20):
        attempts.append((at - NOON) // timedelta(minutes=1))
        following = next_attempt(attempt, at, 0)
        if following is None:
            break
        at = following
    assert attempts == [0, 2, 6, 14, 30, 62, 126, 254]


@pytest.mark.parametrize(
    ("attempt", "asked", "waits"),
    [
        (1, 60, timedelta(minutes=2)),
        (1, 600, timedelta(minutes=10)),
        (7, 600, timedelta(minutes=128)),
        (1, -5, timedelta(minutes=2)),
        (1, 10**9, LONGEST_ASKED),
    ],
)
def test_retry_after_moves_an_attempt_back_and_never_forward(
    attempt: int, asked: int, waits: timedelta
) -> None:
    assert next_attempt(attempt, NOON, asked) == NOON + waits


def test_the_eighth_failure_is_the_last_whatever_is_asked() -> None:
    assert next_attempt(8, NOON, 600) is None
