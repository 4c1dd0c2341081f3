"""A worker whose host has a wrong clock ticks by the broker's time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.conversation.ticks import AheadOfBroker

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOON_MS = int(NOON.timestamp() * 1000)


@pytest.mark.parametrize("wrong", [timedelta(hours=1), timedelta(days=1500), -timedelta(hours=2)])
def test_a_clock_that_is_wrong_is_corrected_and_one_that_was_set_right_is_not(wrong):
    ahead = AheadOfBroker()
    ahead.learn(NOON + wrong, NOON_MS)
    assert ahead.corrected(NOON + wrong) == NOON
    ahead.learn(NOON, NOON_MS)
    assert ahead.corrected(NOON) == NOON


@pytest.mark.parametrize("seconds", [0, 1, -1, 60, -299, 300])
def test_a_small_difference_is_left_alone(seconds):
    ahead = AheadOfBroker()
    ahead.learn(NOON + timedelta(seconds=seconds), NOON_MS)
    assert ahead.corrected(NOON) == NOON
