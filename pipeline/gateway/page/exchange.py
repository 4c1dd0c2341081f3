"""One exchange: who asked, who answered, and the octets of both directions."""

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
#: The product asks in these, the gateway in all others.
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
    """The octets of one direction. `name` is `received` or `sent`, as the gateway sees it."""

    name: str
    title: str
    octets: bytes

    @property
    def is_text(self) -> bool:
        """Whether it is shown as text first, else as hex."""
        return is_text(self.octets)

    @property
    def lines(self) -> list[str]:
        """The octets as text, with names for controls."""
        return [legible(line) for line in lines_of_text(self.octets)]

    @property
    def hex(self) -> list[HexLine]:
        """As hex."""
        return hex_lines(self.octets)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The fields of a form in it, decoded."""
        return [(legible(name), legible(value)) for name, value in fields_of(self.octets)]

    @property
    def left_out(self) -> int:
        """How many octets are not shown."""
        return max(0, len(self.octets) - MOST_SHOWN)


@dataclass(frozen=True)
class Exchange:
    """An event as a line of the list, and opened."""

    event: WorldEvent

    @property
    def title(self) -> str:
        """What it is."""
        return TITLES[self.event.kind]

    @property
    def is_inward(self) -> bool:
        """Whether the product sent the request."""
        return self.event.kind in _ASKED_BY_PRODUCT

    @property
    def other(self) -> str:
        """The sender or the number."""
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
        """The outcome, where this kind of event has one."""
        if self.event.kind is EventKind.REFUSED:  # its title says so
            words = state_of(self.event).words
            return State(words.removeprefix("refused · "), BAD)
        if self.event.kind is EventKind.HANDED_OVER and is_taken(self.event):  # its way is beside
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
        """Both directions in the order in which the octets went, without empty ones."""
        received = Side("received", "Received by the gateway", self.event.received)
        sent = Side("sent", "Sent by the gateway", self.event.sent)
        both = [received, sent] if self.is_inward else [sent, received]
        return [side for side in both if side.octets]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """Name and value of everything else that is known of it."""
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
    """Whether it is in the list of exchanges: octets were sent, or a fault prevented that."""
    return bool(event.received or event.sent) or event.kind is EventKind.FAULT
