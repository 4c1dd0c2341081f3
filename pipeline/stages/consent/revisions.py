"""What readers of `consent_change` must be told when a scope turns out to differ from it.

A reader asks for the latest row with `at` no later than T among the rows recorded by K; where a
scope has none, the row of its account stands for it. These functions give the rows after which that
question is answered as the new fold has it, at every T.
"""

from __future__ import annotations

from bisect import bisect_right
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from pipeline.stages.consent.row import OPEN, Published, Timeline

if TYPE_CHECKING:
    from pipeline.stages.consent.timeline import Segment

KEPT = 48
"""How many published rows a timeline remembers; the past before them is no longer revised."""


class Revision(NamedTuple):
    """A row to publish: the segment that holds at `at`, and what readers had there before."""

    at: int
    segment: Segment | None  # None: open, with nothing behind it any more
    previous_ours: int
    previous_gateway: int


def published_states(published: list[Published], at: int) -> tuple[int, int] | None:
    """What readers read at `at`; None when they have no row for it."""
    index = bisect_right(published, at, key=attrgetter("at")) - 1
    return (published[index].ours, published[index].gateway) if index >= 0 else None


def revisions(
    timeline: Timeline, segments: list[Segment], account: list[Published]
) -> list[Revision]:
    """The rows that bring readers from what was published to `segments`.

    `account` is what readers have for the account, which stands for a scope without rows.
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
