"""What stays of a handset that is forgotten: its stops, so that a stop stays a stop.

A suppression holds scopes, times and the effect of what they rest on, and no number of a handset,
no message and nobody's words. A row made of it decides as the row it was made of would.
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
from pipeline.stages.consent.timeline import Fold, fold

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
    # What was waiting for its confirmation is stopped: nobody knows any more whom to send it to,
    # and the gateway sends its own (G7.1.1).
    Effect.STOP: int(Effect.STOP_AT_ONCE),
    Effect.STOP_AT_ONCE: int(Effect.STOP_AT_ONCE),
}


class Suppression(msgspec.Struct, array_like=True, frozen=True):
    """What is kept under the HMAC of a handset. `arrivals` as in the row."""

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
    """The stops of a row that hold at `now`; None when it has none.

    Scopes that were stopped and re-enabled stay, too: without their own history they would have
    that of the account or range which is stopped.
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
    """The row of a handset that was forgotten and is here again."""
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
    return STATES[OPEN if state == OPEN else STOPPED].value


def _bare(timeline: Timeline, folded: Fold) -> Timeline:
    """The scope with the events its state rests on: when each was, and what it does."""
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
