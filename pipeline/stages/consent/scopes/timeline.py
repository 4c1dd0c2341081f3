"""Computes one scope's consent as a fold over its events, and which events a fold still needs.

A side (ours, the gateway's) is open, due or stopped. A stop makes an open side due. A confirmation
makes it stopped, or the deadline does, when the gateway confirms by itself. A re-enabling message
makes it open. A late event is folded at its own time.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pipeline.records import ConsentRule
from pipeline.stages.consent.row import DUE, OPEN, STOPPED, Effect, Event, Timeline

ROOM = 4
"""Events are forgotten only when there are this many too many, and not at every event."""
NEVER = -1
"""A time before every deadline: no deadline passes after the last event."""

_CONFIRMATIONS: Final = (ConsentRule.CONFIRMED, ConsentRule.GATEWAY_CONFIRMED)
# To look a member up in its enum takes as long as the rest of `fold_in` (CPython 3.11).
_NONE: Final = int(Effect.NONE)
_OPENING: Final = int(Effect.OPEN)
_STOP: Final = int(Effect.STOP)
_CONFIRM: Final = int(Effect.CONFIRM)


class Segment(NamedTuple):
    """The states from `at` until the next segment, and what caused them."""

    at: int
    ours: int
    gateway: int
    rule: str
    event: Event  # the message or order behind it
    due: int
    deadline: int


class Side:
    """The state of one side during a fold."""

    __slots__ = ("deadline", "last_opening", "last_stop", "made_by", "state")

    def __init__(self) -> None:
        self.state = OPEN
        self.deadline = 0
        self.made_by: tuple[Event, ...] = ()
        self.last_stop: Event | None = None
        self.last_opening: Event | None = None

    @property
    def stop(self) -> Event:
        """The stop in force: the first one, or a STOP ALL that came while it was due."""
        return next(e for e in reversed(self.made_by) if e.rule not in _CONFIRMATIONS)

    def fold_in(self, effect: int, event: Event) -> bool:
        """Let `event` have its effect; whether the state, or the stop behind it, changed."""
        if effect == _OPENING:
            self.last_opening = event
            if self.state == OPEN:
                return False
            self.state, self.made_by, self.last_stop = OPEN, (), None
            return True
        if effect == _CONFIRM:
            confirmed = (event.confirms_at, event.confirms_arrival)
            if self.state != DUE or confirmed < self.made_by[0].order:
                return False  # it confirms an earlier stop, which a message has ended since
            self.state, self.made_by = STOPPED, (*self.made_by, event)
            return True
        if effect == _NONE:
            return False
        self.last_stop = event
        if self.state == OPEN:
            self.state = DUE if effect == _STOP else STOPPED
            self.deadline = event.deadline
            self.made_by = (event,)
            return True
        if self.state == DUE and effect == _STOP and event.rule == ConsentRule.STOP_ALL:
            self.deadline = min(self.deadline, event.deadline)
            self.made_by = (*self.made_by, event)
            return True
        return False

    def pass_deadline(self) -> None:
        """The deadline passes: the gateway confirms by itself."""
        self.state = STOPPED

    def needed(self) -> set[Event]:
        """The events that this state needs, also to compute the effect of a late event."""
        return {*self.made_by, *filter(None, (self.last_stop, self.last_opening))}


class Fold(NamedTuple):
    """The result of a fold over a timeline."""

    segments: list[Segment]
    ours: Side
    gateway: Side

    @property
    def pending(self) -> Event | None:
        """The stop whose confirmation is due."""
        if self.ours.state == DUE:
            return self.ours.stop
        return self.gateway.stop if self.gateway.state == DUE else None

    @property
    def pending_deadline(self) -> int:
        """When the gateway confirms that stop by itself."""
        return min(side.deadline for side in (self.ours, self.gateway) if side.state == DUE)


def fold(events: list[Event], *, until: int) -> Fold:
    """The states over time that `events`, in order, give; deadlines up to `until` have passed."""
    result = Fold([], Side(), Side())
    for event in events:
        _pass_deadlines(result, event.at)
        ours = result.ours.fold_in(event.ours, event)
        gateway = result.gateway.fold_in(event.gateway, event)
        if ours or gateway:
            _note(result, event.at, event.rule, event)
    _pass_deadlines(result, until)
    return result


def _pass_deadlines(result: Fold, until: int) -> None:
    if result.ours.state != DUE and result.gateway.state != DUE:
        return
    waiting = [side for side in (result.ours, result.gateway) if side.state == DUE]
    for side in sorted(waiting, key=lambda side: side.deadline):
        if side.deadline <= until:
            side.pass_deadline()
            _note(result, side.deadline, ConsentRule.GATEWAY_CONFIRMED, side.stop)


def _note(result: Fold, at: int, rule: str, event: Event) -> None:
    if result.segments and result.segments[-1].at == at:
        result.segments.pop()
    due = deadline = 0
    pending = result.pending
    if pending is not None:
        deadline = result.pending_deadline
        due = deadline - (pending.deadline - pending.due)
    result.segments.append(
        Segment(at, result.ours.state, result.gateway.state, rule, event, due, deadline)
    )


def insert(timeline: Timeline, event: Event, *, keep: int) -> Timeline:
    """The timeline with `event` inserted in order, and with about `keep` events at most."""
    events = timeline.events
    if not events or events[-1].order < event.order:
        events = [*events, event]
    else:
        events = sorted([*events, event], key=lambda e: e.order)
    return _compact(timeline, events, keep)


def _compact(timeline: Timeline, events: list[Event], keep: int) -> Timeline:
    """Drop events before the last `keep`, except those that the state at their end needs."""
    frozen = timeline.frozen_before
    published = timeline.published
    if len(events) > keep + ROOM:
        older, newer = events[:-keep], events[-keep:]
        result = fold(older, until=NEVER)
        needed = result.ours.needed() | result.gateway.needed()
        events = [*(e for e in older if e in needed), *newer]
        if result.segments or published:
            frozen = max(frozen, older[-1].at)
            said = [p for p in published if p.at < frozen]
            published = [*said[-1:], *published[len(said) :]]
    return Timeline(timeline.scope_kind, timeline.scope, events, published, frozen)
