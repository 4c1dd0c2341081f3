"""The state of a reply path: its queues, the attempts under way, and its circuit breaker.

The circuit opens after failures in a row. Then first tries wait in their queue, and no attempt is
counted; every `PROBE_EVERY` one is made, to see whether the application is back. Retries follow
their schedule all the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from pipeline.stages.delivering.row import AGAIN, FIRST, Line, PathState

#: Failures in a row that open the circuit.
FAILURES: Final = 20
PROBE_EVERY: Final = timedelta(seconds=10)
#: The longest time that an application may make its path wait by Retry-After.
LONGEST_PAUSE: Final = timedelta(hours=1)
#: Retries have a window of their own: the path's window divided by this.
AGAIN_PART: Final = 4


def length_of(line: Line) -> int:
    """The number of places in a queue."""
    return line.tail - line.head


def line_to_serve(state: PathState, window: int, now: datetime) -> str:
    """The queue to take the next delivery from: FIRST, AGAIN, or empty if none may go."""
    if state.paused_until is not None and now < state.paused_until:
        return ""
    if length_of(state.first) and _first_may_go(state, window, now):
        return FIRST
    if length_of(state.again) and state.again_under_way < max(1, window // AGAIN_PART):
        return AGAIN
    return ""


def may_go_at_once(state: PathState, window: int, now: datetime) -> bool:
    """Whether a first try that comes now may go without waiting in the queue."""
    is_paused = state.paused_until is not None and now < state.paused_until
    return not is_paused and not length_of(state.first) and _first_may_go(state, window, now)


def _first_may_go(state: PathState, window: int, now: datetime) -> bool:
    if state.probe_at is not None:
        return now >= state.probe_at
    return state.first_under_way < window


def added(state: PathState, line: str) -> PathState:
    """The state after a delivery was put at the end of a queue."""
    if line == FIRST:
        return replace(state, first=Line(state.first.head, state.first.tail + 1))
    return replace(state, again=Line(state.again.head, state.again.tail + 1))


def taken(state: PathState, line: str) -> PathState:
    """The state after a delivery was taken from the beginning of a queue."""
    if line == FIRST:
        return replace(state, first=Line(state.first.head + 1, state.first.tail))
    return replace(state, again=Line(state.again.head + 1, state.again.tail))


def passed(state: PathState) -> PathState:
    """The state after a first try went through the empty queue at once."""
    return replace(state, first=Line(state.first.tail + 1, state.first.tail + 1))


def returned(state: PathState, place: int) -> PathState:
    """The state after a first try was put back at the place that it was taken from."""
    return replace(state, first=Line(min(state.first.head, place), state.first.tail))


def nobody_there(state: PathState, now: datetime) -> PathState:
    """The state while nobody is bound: first tries wait, and one is made every `PROBE_EVERY`."""
    return replace(state, probe_at=now + PROBE_EVERY)


def ordered(state: PathState, line: str, now: datetime) -> PathState:
    """The state with one more attempt under way."""
    if line == AGAIN:
        return replace(state, again_under_way=state.again_under_way + 1)
    probe_at = None if state.probe_at is None else now + PROBE_EVERY
    return replace(state, first_under_way=state.first_under_way + 1, probe_at=probe_at)


def attempt_ended(state: PathState, line: str) -> PathState:
    """The state with one attempt less under way, whatever its result."""
    if line == AGAIN:
        return replace(state, again_under_way=max(0, state.again_under_way - 1))
    return replace(state, first_under_way=max(0, state.first_under_way - 1))


def succeeded(state: PathState) -> PathState:
    """The state after a successful attempt, which closes the circuit and ends a pause."""
    return replace(state, failures=0, probe_at=None, paused_until=None)


def failed(
    state: PathState, now: datetime, *, retry_after_seconds: int, is_throttled: bool
) -> PathState:
    """The state after a failed attempt, which may open the circuit or begin a pause."""
    failures = state.failures + 1
    probe_at = state.probe_at
    if failures >= FAILURES and probe_at is None:
        probe_at = now + PROBE_EVERY
    paused_until = state.paused_until
    if is_throttled and retry_after_seconds > 0:
        asked = min(retry_after_seconds, LONGEST_PAUSE.total_seconds())
        until = now + timedelta(seconds=asked)
        paused_until = until if paused_until is None else max(until, paused_until)
    return replace(state, failures=failures, probe_at=probe_at, paused_until=paused_until)


def wakes_at(state: PathState, now: datetime) -> datetime | None:
    """The time at which to serve the queues again without an event; None if none is needed."""
    if not length_of(state.first) and not length_of(state.again):
        return None
    times: list[datetime] = []
    if state.paused_until is not None and now < state.paused_until:
        times.append(state.paused_until)
    if length_of(state.first) and state.probe_at is not None:
        times.append(state.probe_at)
    return max(times) if times else None
