"""A path's window, its circuit and its pauses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pipeline.stages.delivering.path import (
    AGAIN_PART,
    FAILURES,
    LONGEST_PAUSE,
    PROBE_EVERY,
    added,
    attempt_ended,
    failed,
    length_of,
    line_to_serve,
    may_go_at_once,
    ordered,
    succeeded,
    taken,
    wakes_at,
)
from pipeline.stages.delivering.row import AGAIN, FIRST, PathState, decode_path, encode_path

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = 8


def failed_times(count: int) -> PathState:
    state = PathState()
    for _ in range(count):
        state = failed(state, NOON, retry_after_seconds=0, is_throttled=False)
    return state


def test_a_window_bounds_first_tries_and_leaves_a_part_to_retries() -> None:
    state = PathState()
    for _ in range(100):
        state = added(added(state, FIRST), AGAIN)
    taken_from: list[str] = []
    while line := line_to_serve(state, WINDOW, NOON):
        taken_from.append(line)
        state = ordered(taken(state, line), line, NOON)
    assert taken_from.count(FIRST) == WINDOW
    assert taken_from.count(AGAIN) == WINDOW // AGAIN_PART


def test_a_window_of_one_lets_a_retry_through_all_the_same() -> None:
    state = ordered(added(PathState(), AGAIN), FIRST, NOON)
    assert line_to_serve(state, 1, NOON) == AGAIN


def test_failures_in_a_row_open_the_circuit_and_one_probe_goes_each_ten_seconds() -> None:
    assert failed_times(FAILURES - 1).probe_at is None
    state = added(added(failed_times(FAILURES), FIRST), FIRST)
    assert line_to_serve(state, WINDOW, NOON) == ""
    assert not may_go_at_once(failed_times(FAILURES), WINDOW, NOON)
    assert wakes_at(state, NOON) == NOON + PROBE_EVERY
    later = NOON + PROBE_EVERY
    assert line_to_serve(state, WINDOW, later) == FIRST
    state = ordered(taken(state, FIRST), FIRST, later)
    assert line_to_serve(state, WINDOW, later) == ""
    assert line_to_serve(state, WINDOW, later + PROBE_EVERY) == FIRST
    assert line_to_serve(succeeded(state), WINDOW, later) == FIRST


def test_a_success_between_failures_begins_to_count_anew() -> None:
    state = succeeded(failed_times(FAILURES - 1))
    assert failed(state, NOON, retry_after_seconds=0, is_throttled=False).probe_at is None


def test_retries_go_by_their_schedule_while_the_circuit_is_open() -> None:
    assert line_to_serve(added(failed_times(FAILURES), AGAIN), WINDOW, NOON) == AGAIN


def test_an_application_that_asks_for_it_is_left_alone_and_not_for_longer_than_an_hour() -> None:
    state = added(added(PathState(), FIRST), AGAIN)
    paused = failed(state, NOON, retry_after_seconds=60, is_throttled=True)
    assert line_to_serve(paused, WINDOW, NOON + timedelta(seconds=59)) == ""
    assert wakes_at(paused, NOON) == NOON + timedelta(seconds=60)
    assert line_to_serve(paused, WINDOW, NOON + timedelta(seconds=60)) == FIRST
    long = failed(state, NOON, retry_after_seconds=10**9, is_throttled=True)
    assert long.paused_until == NOON + LONGEST_PAUSE
    of_one = failed(state, NOON, retry_after_seconds=60, is_throttled=False)
    assert line_to_serve(of_one, WINDOW, NOON) == FIRST


steps = st.lists(
    st.sampled_from(["first", "again", "serve", "done", "fail", "later"]), max_size=200
)


@given(steps, st.integers(1, 20))
def test_whatever_happens_the_counts_hold(taken_steps: list[str], window: int) -> None:
    """What is under way never exceeds the window, and nothing is taken that is not there."""
    state, now = PathState(), NOON
    under_way: list[str] = []
    for step in taken_steps:
        match step:
            case "first" | "again":
                state = added(state, FIRST if step == "first" else AGAIN)
            case "serve":
                while line := line_to_serve(state, window, now):
                    state = ordered(taken(state, line), line, now)
                    under_way.append(line)
            case "done" | "fail" if under_way:
                state = attempt_ended(state, under_way.pop(0))
                state = (
                    succeeded(state)
                    if step == "done"
                    else failed(
                        state, now, retry_after_seconds=5, is_throttled=bool(len(under_way))
                    )
                )
            case "later":
                now += timedelta(seconds=7)
        assert state.first_under_way == under_way.count(FIRST) <= window + len(taken_steps) // 10
        assert state.again_under_way == under_way.count(AGAIN) <= max(1, window // AGAIN_PART)
        assert length_of(state.first) >= 0
        assert length_of(state.again) >= 0
        assert decode_path(encode_path(state)) == state
