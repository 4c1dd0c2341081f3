"""How a reply path stands: how much may be under way, and whether it is left alone.

The circuit opens after failures in a row. Then first tries wait in their line and burn no attempt,
but for one now and then that finds out whether the application is back. Retries go by their
schedule all the same.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from msgspec.structs import replace

from pipeline.stages.delivering.row import AGAIN, FIRST, Line, PathState

#: Failures in a row that open the circuit.
FAILURES: Final = 20
PROBE_EVERY: Final = timedelta(seconds=10)
#: How long an application may make its path wait by Retry-After.
LONGEST_PAUSE: Final = timedelta(hours=1)
#: The part of the window that retries have to themselves: one in so many.
AGAIN_PART: Final = 4


def length_of(line: Line) -> int:
    """How many places a line has."""
    return line.tail - line.head


def line_to_serve(state: PathState, window: int, now: datetime) -> str:
    """The line to take the next delivery from: FIRST, AGAIN, or empty when nothing may go."""
    if state.paused_until is not None and now < state.paused_until:
        return ""
    if length_of(state.first) and _first_may_go(state, window, now):
        return FIRST
    if length_of(state.again) and state.again_under_way < max(1, window // AGAIN_PART):
        return AGAIN
    return ""


def may_go_at_once(state: PathState, window: int, now: datetime) -> bool:
    """Whether a first try that comes now need not wait in the line."""
    is_paused = state.paused_until is not None and now < state.paused_until
    return not is_paused and not length_of(state.first) and _first_may_go(state, window, now)


def _first_may_go(state: PathState, window: int, now: datetime) -> bool:
    if state.probe_at is not None:
        return now >= state.probe_at
    return state.first_under_way < window


def added(state: PathState, line: str) -> PathState:
    """With one more place at the end of a line."""
    if line == FIRST:
        return replace(state, first=Line(state.first.head, state.first.tail + 1))
    return replace(state, again=Line(state.again.head, state.again.tail + 1))


def taken(state: PathState, line: str) -> PathState:
    """With one place less at the beginning of a line."""
    if line == FIRST:
        return replace(state, first=Line(state.first.head + 1, state.first.tail))
    return replace(state, again=Line(state.again.head + 1, state.again.tail))


def passed(state: PathState) -> PathState:
    """With one place more at the end of the empty line of first tries, taken at once."""
    return replace(state, first=Line(state.first.tail + 1, state.first.tail + 1))


def returned(state: PathState, place: int) -> PathState:
    """With a first try back at the place it was taken from."""
    return replace(state, first=Line(min(state.first.head, place), state.first.tail))


def nobody_there(state: PathState, now: datetime) -> PathState:
    """Nobody is bound: first tries wait, and one now and then finds out whether somebody is."""
    return replace(state, probe_at=now + PROBE_EVERY)


def ordered(state: PathState, line: str, now: datetime) -> PathState:
    """With one more attempt under way."""
    if line == AGAIN:
        return replace(state, again_under_way=state.again_under_way + 1)
    probe_at = None if state.probe_at is None else now + PROBE_EVERY
    return replace(state, first_under_way=state.first_under_way + 1, probe_at=probe_at)


def attempt_ended(state: PathState, line: str) -> PathState:
    """With one attempt less under way; nothing is said about how it ended."""
    if line == AGAIN:
        return replace(state, again_under_way=max(0, state.again_under_way - 1))
    return replace(state, first_under_way=max(0, state.first_under_way - 1))


def succeeded(state: PathState) -> PathState:
    """An attempt went through: the path is used as usual."""
    return replace(state, failures=0, probe_at=None, paused_until=None)


def failed(
    state: PathState, now: datetime, *, retry_after_seconds: int, is_throttled: bool
) -> PathState:
    """An attempt failed: it counts towards the circuit, and the application may ask for a pause."""
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
    """When to look at the lines again though nothing has happened; None: not by time."""
    if not length_of(state.first) and not length_of(state.again):
        return None
    times: list[datetime] = []
    if state.paused_until is not None and now < state.paused_until:
        times.append(state.paused_until)
    if length_of(state.first) and state.probe_at is not None:
        times.append(state.probe_at)
    return max(times) if times else None
