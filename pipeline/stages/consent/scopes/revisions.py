"""Finds the rows of `consent_change` to publish when the state of a scope has changed.

A reader takes, among the rows recorded by K, the latest row with `at` no later than T. If a scope
has no row, the row of its account counts. After the rows that these functions give, a reader finds
the state of the new fold at every T.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from pipeline.stages.consent.row import OPEN, Published, Timeline

if TYPE_CHECKING:
    from pipeline.stages.consent.scopes.timeline import Segment

KEPT = 48
"""How many published rows a timeline remembers; the past before them is not revised any more."""


class Revision(NamedTuple):
    """A row to publish: the segment that holds at `at`, and the states that readers had before."""

    at: int
    segment: Segment | None  # None: open, and no event causes it any more
    previous_ours: int
    previous_gateway: int


def published_states(published: list[Published], at: int) -> tuple[int, int] | None:
    """The states that readers find at `at`; None if they have no row for that time."""
    index = bisect_right(published, at, key=attrgetter("at")) - 1
    return (published[index].ours, published[index].gateway) if index >= 0 else None


def revisions(
    timeline: Timeline, segments: list[Segment], account: list[Published]
) -> list[Revision]:
    """The rows to publish so that readers find the states of `segments`.

    `account` are the published rows of the account, which count for a scope without rows.
    """
    instants = {s.at for s in segments} | {p.at for p in timeline.published}
    instants |= {p.at for p in account} | {timeline.frozen_before}
    found: list[Revision] = []
    own = {p.at: (p.ours, p.gateway) for p in timeline.published}
    own_since = timeline.published[0].at if timeline.published else None
    known = (OPEN, OPEN)
    for at in sorted(instants):
        if at in own:
            known = own[at]
        elif not found and (own_since is None or at < own_since):
            known = published_states(account, at) or known
        segment = segment_at(segments, at)
        wanted = (segment.ours, segment.gateway) if segment else (OPEN, OPEN)
        if wanted != known and at >= timeline.frozen_before:
            found.append(Revision(at, segment, *known))
            known = wanted
    return found


def segment_at(segments: list[Segment], at: int) -> Segment | None:
    """The segment that holds at `at`."""
    index = bisect_right(segments, at, key=attrgetter("at")) - 1
    return segments[index] if index >= 0 else None


def remember(timeline: Timeline, found: list[Revision]) -> Timeline:
    """The timeline after these rows were published."""
    said = {p.at: p for p in timeline.published}
    for revision in found:
        segment = revision.segment
        ours, gateway = (segment.ours, segment.gateway) if segment else (OPEN, OPEN)
        said[revision.at] = Published(revision.at, ours, gateway)
    published = [said[at] for at in sorted(said)][-KEPT:]
    frozen = timeline.frozen_before
    if len(said) > KEPT:
        frozen = max(frozen, published[0].at)
    return Timeline(timeline.scope_kind, timeline.scope, timeline.events, published, frozen)
