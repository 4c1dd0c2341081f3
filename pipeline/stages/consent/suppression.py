"""The suppression of a forgotten handset, so that its stops stay.

A suppression holds scopes, and the times and effects of events. It holds no number of a handset, no
message and no person's words. A row made from it decides like the original row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import ConsentRule, KeptStop, ScopeKind
from pipeline.sms.timestamp import seconds_of, time_of
from pipeline.stages.consent.row import (
    OPEN,
    STATES,
    STOPPED,
    Effect,
    Event,
    HandsetConsent,
    Timeline,
)
from pipeline.stages.consent.scopes.timeline import Fold, fold

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "Suppression",
    "kept_stops",
    "octets_from_suppression",
    "row_from_suppression",
    "suppress",
    "suppression_from_octets",
]

_EFFECT: Final = {
    Effect.OPEN: int(Effect.OPEN),
    # A stop that waits for its confirmation becomes a stop: the handset is not known any more, and
    # the gateway sends its own confirmation (G7.1.1).
    Effect.STOP: int(Effect.STOP_AT_ONCE),
    Effect.STOP_AT_ONCE: int(Effect.STOP_AT_ONCE),
}


class Suppression(msgspec.Struct, array_like=True, frozen=True):
    """The stops that are kept under the HMAC of a handset. `arrivals` is the same as in the row."""

    forgotten_at: int
    arrivals: int
    timelines: list[Timeline]


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Suppression)


def octets_from_suppression(suppression: Suppression) -> bytes:
    """As it is stored."""
    return _ENCODER.encode(suppression)


def suppression_from_octets(octets: bytes) -> Suppression:
    """What `octets_from_suppression` wrote; raises `msgspec.DecodeError`."""
    return _DECODER.decode(octets)


def suppress(row: HandsetConsent | None, *, now: datetime) -> Suppression | None:
    """The suppression of a row's stops that hold at `now`; None if there are none.

    Scopes that were stopped and re-enabled are kept too. Without their own history they would have
    the state of the stopped account or range.
    """
    if row is None or not row.stopped_once:
        return None
    until = seconds_of(now)
    folds = {timeline.key: fold(timeline.events, until=until) for timeline in row.timelines}
    stopped = {key for key, folded in folds.items() if _holds(folded)}
    if not stopped:
        return None
    of_account = any(kind == ScopeKind.ACCOUNT for kind, _ in stopped)
    kept = [t for t in row.timelines if of_account or t.has_stops]
    return Suppression(until, row.arrivals, [_bare(t, folds[t.key]) for t in kept])


def row_from_suppression(suppression: Suppression, handset: str) -> HandsetConsent:
    """The row of a forgotten handset, made from its suppression."""
    return HandsetConsent(
        handset=handset,
        arrivals=suppression.arrivals,
        stopped_once=True,
        timelines=suppression.timelines,
    )


def kept_stops(suppression: Suppression | None) -> list[KeptStop]:
    """The scopes that stay stopped, for the record of the erasure."""
    kept: list[KeptStop] = []
    for timeline in suppression.timelines if suppression else []:
        folded = fold(timeline.events, until=suppression.forgotten_at if suppression else 0)
        stops = [side.stop for side in (folded.ours, folded.gateway) if side.state != OPEN]
        if stops:
            kept.append(
                KeptStop(
                    scope_kind=timeline.scope_kind,
                    scope=timeline.scope,
                    state=_state(folded.ours.state),
                    gateway_state=_state(folded.gateway.state),
                    since=time_of(min(stop.at for stop in stops)),
                )
            )
    return kept


def _holds(folded: Fold) -> bool:
    return folded.ours.state != OPEN or folded.gateway.state != OPEN


def _state(state: int) -> str:
    return STATES[OPEN if state == OPEN else STOPPED]


def _bare(timeline: Timeline, folded: Fold) -> Timeline:
    """The scope with only the events that its state needs, and of these only time and effect."""
    needed = folded.ours.needed() | folded.gateway.needed()
    events = [_bare_event(event) for event in timeline.events if event in needed]
    done = [event for event in events if event.ours or event.gateway]
    return Timeline(timeline.scope_kind, timeline.scope, done)


def _bare_event(event: Event) -> Event:
    ours, gateway = (
        _EFFECT.get(Effect(effect), int(Effect.NONE)) for effect in (event.ours, event.gateway)
    )
    opens = Effect.OPEN in (ours, gateway)
    rule = ConsentRule.RE_ENABLED if opens else ConsentRule.SUPPRESSION
    return Event(at=event.at, arrival=event.arrival, ours=ours, gateway=gateway, rule=rule.value)
