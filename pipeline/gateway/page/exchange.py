"""One exchange between product and gateway: the octets of request and answer, and the facts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.gateway.page.facts import (
    BAD,
    GOOD,
    State,
    fault_of,
    is_taken,
    line_of,
    number_of,
    state_of,
)
from pipeline.gateway.page.octets import (
    MOST_SHOWN,
    HexLine,
    fields_of,
    hex_lines,
    is_text,
    lines_of_text,
)
from pipeline.gateway.world import EventKind
from pipeline.web.visible import legible

if TYPE_CHECKING:
    from pipeline.gateway.world import WorldEvent

MOST_LISTED: Final = 120
PREVIEW_CHARACTERS: Final = 90
MOST_OF_A_FACT: Final = 2_000  # characters
#: Events whose request the product sent; in all others the gateway sent it.
_ASKED_BY_PRODUCT: Final = frozenset({EventKind.SUBMITTED, EventKind.REFUSED})
TITLES: Final = {
    EventKind.SUBMITTED: "MT submitted",
    EventKind.REFUSED: "MT refused",
    EventKind.SHOWN: "MT shown",
    EventKind.STATUS: "Status pushed",
    EventKind.TEXTED: "MO texted",
    EventKind.HANDED_OVER: "MO handed over",
    EventKind.FAULT: "Fault played",
    EventKind.CONSENT: "Consent",
}


@dataclass(frozen=True)
class Side:
    """The octets of one direction; `name` is `received` or `sent` (by the gateway)."""

    name: str
    title: str
    octets: bytes

    @property
    def is_text(self) -> bool:
        """Whether the octets are first shown as text, not as hex."""
        return is_text(self.octets)

    @property
    def lines(self) -> list[str]:
        """The octets as lines of text, with names for control characters."""
        return [legible(line) for line in lines_of_text(self.octets)]

    @property
    def hex(self) -> list[HexLine]:
        """The octets as lines of hex."""
        return hex_lines(self.octets)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The fields of the form in the octets, decoded."""
        return [(legible(name), legible(value)) for name, value in fields_of(self.octets)]

    @property
    def left_out(self) -> int:
        """How many octets are not shown."""
        return max(0, len(self.octets) - MOST_SHOWN)


@dataclass(frozen=True)
class Exchange:
    """An event as the page shows it, in the list of exchanges and opened."""

    event: WorldEvent

    @property
    def title(self) -> str:
        """The kind of the event in words."""
        return TITLES[self.event.kind]

    @property
    def is_inward(self) -> bool:
        """Whether the product sent the request."""
        return self.event.kind in _ASKED_BY_PRODUCT

    @property
    def other(self) -> str:
        """The sender ID of an MT, or the number that an MO was sent to."""
        return legible(number_of(self.event))

    @property
    def preview(self) -> str:
        """The beginning of the text in one line, or what happened."""
        if self.event.kind is EventKind.FAULT:
            return legible(fault_of(self.event).replace("-", " "))
        if self.event.kind is EventKind.CONSENT:
            return legible(line_of(self.event))
        if self.event.kind is EventKind.STATUS and not self.event.text:
            return legible(self.event.message_id or self.event.client_id)
        line = " ".join(self.event.text[: 2 * PREVIEW_CHARACTERS].split())
        return legible(line[:PREVIEW_CHARACTERS]) + ("…" if len(line) > PREVIEW_CHARACTERS else "")

    @property
    def state(self) -> State | None:
        """The outcome; None for a kind of event without one."""
        if self.event.kind is EventKind.REFUSED:  # the title says `refused` already
            words = state_of(self.event).words
            return State(words.removeprefix("refused · "), BAD)
        if self.event.kind is EventKind.HANDED_OVER and is_taken(self.event):  # the row has the way
            return State("taken", GOOD)
        if self.event.kind is EventKind.STATUS and not is_taken(self.event):
            said = self.event.facts.get("answer") or "no answer"
            return State(f"{self.event.facts.get('status')} not taken: {said}", BAD)
        return (
            None
            if self.event.kind in {EventKind.CONSENT, EventKind.TEXTED, EventKind.FAULT}
            else state_of(self.event)
        )

    @property
    def sides(self) -> list[Side]:
        """The directions that have octets, the request first."""
        received = Side("received", "Received by the gateway", self.event.received)
        sent = Side("sent", "Sent by the gateway", self.event.sent)
        both = [received, sent] if self.is_inward else [sent, received]
        return [side for side in both if side.octets]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The name and the value of every other fact of the event."""
        known = {
            "gateway id": self.event.message_id,
            "client id": self.event.client_id,
            **{name.replace("_", " "): value for name, value in self.event.facts.items()},
        }
        return [
            (legible(name), legible(str(value)[:MOST_OF_A_FACT]))
            for name, value in known.items()
            if value != ""
        ]


def has_octets(event: WorldEvent) -> bool:
    """Whether an event is in the list of exchanges: it has octets, or is a fault."""
    return bool(event.received or event.sent) or event.kind is EventKind.FAULT
