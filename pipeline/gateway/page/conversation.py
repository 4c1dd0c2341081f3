"""Makes the conversation of a phone from events: bubbles in order, each with its latest state."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pipeline.gateway.page.facts import (
    WAITS,
    State,
    ids_of,
    is_taken,
    line_of,
    number_of,
    parts_of,
    state_of,
)
from pipeline.gateway.world import EventKind
from pipeline.web.visible import Piece, fold_long, pieces_from_text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from pipeline.gateway.world import WorldEvent

MO: Final = "mo"
MT: Final = "mt"
NOTE: Final = "note"
MOST_BUBBLES: Final = 200  # for each phone; older messages are in the list of exchanges

_SIDES: Final = {
    EventKind.TEXTED: MO,
    EventKind.SUBMITTED: MT,
    EventKind.SHOWN: MT,
    EventKind.REFUSED: MT,
}


@dataclass(frozen=True, kw_only=True)
class Bubble:
    """One message or note as a phone shows it; `number` is its first event, `latest` its last."""

    number: int
    latest: int
    at: datetime
    side: str
    other: str = ""  # the sender shown, or the number texted
    text: str = ""
    way: str = ""
    parts: str = ""
    state: State | None = None
    is_shown: bool = True  # False: the gateway has it, the handset does not yet
    exchanges: tuple[int, ...] = field(default=())
    ids: frozenset[str] = frozenset()  # of the parts of an MO
    taken: frozenset[str] = frozenset()  # the ids of the parts that the product took

    @property
    def pieces(self) -> list[Piece]:
        """The pieces of the text that are always shown."""
        return pieces_from_text(fold_long(self.text)[0])

    @property
    def rest(self) -> list[Piece]:
        """The pieces of a long text that are folded away."""
        return pieces_from_text(fold_long(self.text)[1])


def conversation_from_events(events: Iterable[WorldEvent], handset: str) -> list[Bubble]:
    """The bubbles of one handset, the latest last."""
    bubbles: dict[int, Bubble] = {}
    first_of: dict[tuple[str, str], int] = {}  # side and message id: the number of its bubble
    for event in events:
        if event.handset != handset:
            continue
        side = _SIDES.get(event.kind) or (MO if event.kind is EventKind.HANDED_OVER else MT)
        known = first_of.get((side, event.message_id)) if event.message_id else None
        if event.kind in {EventKind.FAULT, EventKind.CONSENT}:
            bubbles[event.number] = _note(event)
        elif known is not None and event.kind is not EventKind.TEXTED:
            bubbles[known] = _after(bubbles[known], event)
        elif event.kind in _SIDES:
            bubbles[event.number] = _first(event, side)
            for message_id in filter(None, ids_of(event)):
                first_of[side, message_id] = event.number
    return list(bubbles.values())[-MOST_BUBBLES:]


def _first(event: WorldEvent, side: str) -> Bubble:
    return Bubble(
        number=event.number,
        latest=event.number,
        at=event.at,
        side=side,
        other=number_of(event),
        text=event.text,
        way=event.way,
        parts=parts_of(event),
        state=state_of(event),
        is_shown=event.kind not in {EventKind.SUBMITTED, EventKind.REFUSED},
        exchanges=_exchange(event),
        ids=frozenset(ids_of(event)),
    )


def _after(bubble: Bubble, event: WorldEvent) -> Bubble:
    """The bubble with a later event added; only an event `shown` changes its text."""
    is_shown = event.kind is EventKind.SHOWN
    taken = bubble.taken | {event.message_id} if is_taken(event) else bubble.taken
    state = state_of(event)
    if event.kind is EventKind.HANDED_OVER and len(bubble.ids) > 1 and taken != bubble.ids:
        state = State(f"{state.words} · {len(taken)} of {len(bubble.ids)} parts", WAITS)
    return replace(
        bubble,
        latest=event.number,
        other=number_of(event) or bubble.other if is_shown else bubble.other,
        text=event.text or bubble.text if is_shown else bubble.text,
        parts=parts_of(event) or bubble.parts if is_shown else bubble.parts,
        state=state,
        taken=taken,
        is_shown=bubble.is_shown or is_shown,
        exchanges=bubble.exchanges + _exchange(event),
    )


def _note(event: WorldEvent) -> Bubble:
    return Bubble(
        number=event.number,
        latest=event.number,
        at=event.at,
        side=NOTE,
        text=line_of(event),
        way=event.kind.value,
        exchanges=_exchange(event),
    )


def _exchange(event: WorldEvent) -> tuple[int, ...]:
    return (event.number,) if event.received or event.sent else ()
