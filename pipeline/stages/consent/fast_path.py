"""A fast path for the most common message: a plain text from an open handset to a single number.

Such a message only has to be remembered, in case a stop comes late. The fast path also serves a
handset that was stopped before, if readers know that both sides are open again and the message is
the newest. `ConsentDraft` and `Scopes` handle any number of scopes and stops, and take several
times as long. A property test in tests/stages shows that both ways give the same rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.directory.directory import SHARED_SHORT_CODE, TAGGED_RANGE
from pipeline.records import MoMessage, Number, ScopeKind
from pipeline.stages.consent.reading import Meaning, Reading
from pipeline.stages.consent.row import Effect, Event, HandsetConsent, Timeline
from pipeline.stages.consent.scopes import scopes as consent_scopes
from pipeline.stages.consent.scopes.timeline import ROOM, insert

if TYPE_CHECKING:
    from collections.abc import Container

_SEVERAL_SCOPES: Final[Container[str]] = (SHARED_SHORT_CODE, TAGGED_RANGE)
_NUMBER: Final = ScopeKind.NUMBER.value
_NONE: Final = int(Effect.NONE)
_OPEN: Final = int(Effect.OPEN)
_OPENING: Final = Meaning.OPENING


def row_after_words(
    row: HandsetConsent | None,
    message: MoMessage,
    reading: Reading,
    number: Number | None,
    *,
    at: int,
) -> HandsetConsent | None:
    """The row after `message`; None if the message or the row is not of the common kind."""
    if reading.meaning is not _OPENING or reading.is_help:
        return None
    if number is not None and number.kind in _SEVERAL_SCOPES:
        return None
    texted = message.number
    if row is None:
        row = HandsetConsent(handset=message.handset)
    elif row.confirmations or len(row.timelines) > 1:
        return None
    keep = consent_scopes.KEPT_UNSTOPPED
    if row.timelines:
        timeline = row.timelines[0]
        if timeline.scope != texted or timeline.scope_kind != _NUMBER:
            return None
        if row.stopped_once:
            keep = consent_scopes.KEPT
            events = timeline.events
            if not timeline.is_said_open or at < events[-1].at or len(events) >= keep + ROOM:
                return None
    else:
        timeline = Timeline(_NUMBER, texted)
    arrival = row.arrivals + 1
    ours = _OPEN if reading.opens_ours else _NONE
    opening = Event(at=at, arrival=arrival, ours=ours, gateway=_OPEN, message_id=message.message_id)
    is_newest = at >= row.last_at
    return HandsetConsent(
        handset=row.handset,
        arrivals=arrival,
        recorded_us=row.recorded_us,
        last_number=texted if is_newest else row.last_number,
        last_at=at if is_newest else row.last_at,
        stopped_once=row.stopped_once,
        timelines=[insert(timeline, opening, keep=keep)],
        keyword_uses=row.keyword_uses,
    )
