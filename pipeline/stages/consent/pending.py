"""Finds the stops whose confirmation is due (G7.1.1), until when, and in which scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pipeline.records import ConsentRule, ScopeKind
from pipeline.stages.consent.row import Event, Timeline  # noqa: TC001  mypyc loads fields' types
from pipeline.stages.consent.scopes.scopes import Key, holds
from pipeline.stages.consent.scopes.timeline import fold

if TYPE_CHECKING:
    from collections.abc import Iterable


class PendingStop(NamedTuple):
    """A stop whose confirmation is due, with every scope that it stops."""

    stop: Event
    due: int
    deadline: int
    keys: list[Key]
    ours_to_send: bool  # False: the number texted was re-enabled; the gateway confirms the rest


def pending_stops(timelines: Iterable[Timeline], *, until: int) -> list[PendingStop]:
    """The stops still due after all deadlines up to `until`, in the order of their arrival."""
    timelines = list(timelines)
    found: dict[int, PendingStop] = {}
    for timeline in timelines:
        if timeline.is_said_settled or not timeline.has_stops:
            continue
        folded = fold(timeline.events, until=until)
        stop = folded.pending
        if stop is None:
            continue
        deadline, keys = folded.pending_deadline, [timeline.key]
        earlier = found.get(stop.arrival)
        if earlier:
            deadline, keys = min(deadline, earlier.deadline), [*earlier.keys, *keys]
        due = deadline - (stop.deadline - stop.due)
        found[stop.arrival] = PendingStop(stop, due, deadline, keys, ours_to_send=True)
    return [
        PendingStop(
            pending.stop,
            pending.due,
            pending.deadline,
            pending.keys,
            ours_to_send=not _is_cancelled(pending, timelines),
        )
        for _, pending in sorted(found.items())
    ]


def _is_cancelled(pending: PendingStop, timelines: list[Timeline]) -> bool:
    """Whether the number to which STOP ALL was texted is open again: a confirmation would lie."""
    if pending.stop.rule != ConsentRule.STOP_ALL:
        return False
    texted = [t.key for t in timelines if holds(t.key, pending.stop.number)]
    accounts = [t.key for t in timelines if t.scope_kind == ScopeKind.ACCOUNT]
    return not any(key in pending.keys for key in texted or accounts)
