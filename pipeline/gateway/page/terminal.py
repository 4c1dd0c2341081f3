"""Gives an event to `twoway phone` as a JSON object."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.gateway.page.facts import line_of, number_of, parts_of, state_of
from pipeline.gateway.world import EventKind
from pipeline.web.visible import legible

if TYPE_CHECKING:
    from pipeline.gateway.world import WorldEvent


def terminal_fields(event: WorldEvent) -> dict[str, str | int]:
    """The fields of an event; no value has control characters or bidirectional overrides."""
    is_line = event.kind in {EventKind.FAULT, EventKind.CONSENT}
    return {
        "number": event.number,
        "at": event.at.strftime("%H:%M:%S"),
        "kind": event.kind.value,
        "way": legible(event.way),
        "other": legible(number_of(event)),
        "text": legible(line_of(event) if is_line else event.text),
        "state": legible(state_of(event).words),
        "parts": legible(parts_of(event)),
    }
