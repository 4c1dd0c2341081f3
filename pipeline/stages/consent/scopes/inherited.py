"""Events that a scope takes over from its account, or from a scope that held its numbers before."""

from __future__ import annotations

from typing import Final

import msgspec

from pipeline.records import ScopeKind
from pipeline.stages.consent.row import Effect, Event, Timeline
from pipeline.stages.consent.scopes.timeline import NEVER, fold

_STOPS: Final = (Effect.STOP, Effect.STOP_AT_ONCE)
_NUMBER: Final = ScopeKind.NUMBER.value
_RANGE: Final = ScopeKind.RANGE.value


def still_counts(timeline: Timeline, event: Event) -> bool:
    """Whether an event from before `frozen_before` still affects the state of the scope.

    A stop does if no message has re-enabled the scope since. A confirmation does if its stop is in
    the timeline.
    """
    if event.confirms_arrival:
        return any(e.arrival == event.confirms_arrival for e in timeline.events)
    folded = fold(timeline.events, until=NEVER)
    return any(
        effect in _STOPS and (side.last_opening is None or side.last_opening.order < event.order)
        for effect, side in ((event.ours, folded.ours), (event.gateway, folded.gateway))
    )


def without_gateway(event: Event) -> Event:
    """The event without an effect on the gateway's side, for numbers that it never blocks."""
    return msgspec.structs.replace(event, gateway=int(Effect.NONE))


def overlap(one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether a range and a number, or another range, have numbers in common."""
    if other[0] not in (_NUMBER, _RANGE):
        return False
    first, last = _bounds(one)
    other_first, other_last = _bounds(other)
    return len(first) == len(other_first) and first <= other_last and other_first <= last


def _bounds(key: tuple[str, str]) -> tuple[str, str]:
    first, _, last = key[1].partition("-")
    return first, last or first
