"""An event as `twoway phone` shows it: a JSON object of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.gateway.page.facts import line_of, number_of, parts_of, state_of
from pipeline.gateway.page.visible import plain
from pipeline.gateway.world import Kind

if TYPE_CHECKING:
    from pipeline.gateway.world import Event


def terminal_fields(event: Event) -> dict[str, str | int]:
    """Every value is harmless in a terminal: no control, no override."""
    is_line = event.kind in {Kind.FAULT, Kind.CONSENT}
    return {
        "number": event.number,
        "at": event.at.strftime("%H:%M:%S"),
        "kind": event.kind.value,
        "way": plain(event.way),
        "other": plain(number_of(event)),
        "text": plain(line_of(event) if is_line else event.text),
        "state": plain(state_of(event).words),
        "parts": plain(parts_of(event)),
    }
