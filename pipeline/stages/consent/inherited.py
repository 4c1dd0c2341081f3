"""What a scope takes over from another: from its account, or from one that held its numbers."""

from __future__ import annotations

from typing import Final

import msgspec

from pipeline.records import ScopeKind
from pipeline.stages.consent.row import Effect, Event, Timeline
from pipeline.stages.consent.timeline import NEVER, fold

_STOPS: Final = (Effect.STOP, Effect.STOP_AT_ONCE)
_NUMBER: Final = ScopeKind.NUMBER.value
_RANGE: Final = ScopeKind.RANGE.value


def still_counts(timeline: Timeline, event: Event) -> bool:
    """Whether something older than the past that is told still decides how the scope stands.

    A stop that nothing has re-enabled since does, and so does what confirms it.
    """
    if event.confirms_arrival:
        return any(e.arrival == event.confirms_arrival for e in timeline.events)
    folded = fold(timeline.events, until=NEVER)
    return any(
        effect in _STOPS and (side.last_opening is None or side.last_opening.order < event.order)
        for effect, side in ((event.ours, folded.ours), (event.gateway, folded.gateway))
    )


def without_gateway(event: Event) -> Event:
    """The event as it is where the gateway never blocks."""
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
