"""What the handset saw, as its screen has it: its own messages right, the others left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.align import Align
from rich.panel import Panel
from rich.text import Text

from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from pipeline.cli.demo.stand_in import Phone

WIDTH: Final = 64
SCREEN: Final = 90


def bubbles(phone: Phone) -> Iterator[RenderableType]:
    """A line that says whose it is, and a bubble for each message that it sent or shows."""
    yield Text(f"What +{phone.handset} saw", style="bold")
    for event in phone.events(EventKind.TEXTED, EventKind.SHOWN):
        is_own = event["kind"] == EventKind.TEXTED
        who = f"to {event['other']}" if is_own else str(event["other"])
        parts = f", {event['parts']}" if "parts" in str(event["parts"]) else ""
        panel = Panel(
            Text(str(event["text"])),
            title=f"{event['at']} {who}{parts}",
            title_align="left",
            border_style="green" if is_own else "blue",
            width=WIDTH,
        )
        yield Align(panel, "right" if is_own else "left", width=SCREEN)
