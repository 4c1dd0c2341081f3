"""What happened, out of ClickHouse, as tables for people."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from pipeline.demo.scene import Scene


def conversation_table(scene: Scene, *, handset: str) -> Table:
    """The view `two_way` of a handset; what was refused with the text that was asked for."""
    table = Table(title=f"The conversation of {handset}, view two_way", title_justify="left")
    for head in ("at (UTC)", "", "number"):
        table.add_column(head, no_wrap=True)
    for head in ("text", "note"):
        table.add_column(head, overflow="fold")
    refused = {
        row["rejection_id"]: row["request_id"] for row in scene.all("mt_rejection", handset=handset)
    }
    asked = {row["request_id"]: row["text"] for row in scene.all("mt_request", to=handset)}
    for row in sorted(scene.all("two_way", handset=handset), key=itemgetter("at", "direction")):
        if row["id"] in refused:
            row["text"] = asked.get(refused[row["id"]], "")
        table.add_row(*cells(row, "at", "direction", "number", "text", "note"))
        table.add_section()
    return table


def consent_table(scene: Scene, *, handset: str) -> Table:
    """Each change of consent: by which rule and message, true since and known since when."""
    table = Table(title="Its consent, view consent_change", title_justify="left")
    for head in ("true since (UTC)", "known since", "scope", "rule", "ours", "the gateway's"):
        table.add_column(head, no_wrap=head != "known since")
    table.add_column("because of", overflow="fold")
    texts = {row["message_id"]: row["text"] for row in scene.all("mo_message", handset=handset)}
    found = scene.all("consent_change", handset=handset)
    for row in sorted(found, key=itemgetter("recorded_at", "at")):
        row["because"] = texts.get(row["mo_message_id"], row["mo_message_id"])
        names = ("at", "recorded_at", "scope", "rule", "state", "gateway_state", "because")
        table.add_row(*cells(row, *names))
    return table


def cells(row: dict[str, Any], *names: str) -> list[Text]:
    """The named values as text, never as markup; times to the second."""
    return [
        Text(_second(str(row[name])) if name.endswith("at") else str(row[name])) for name in names
    ]


def _second(time: str) -> str:
    """`2026-11-22T15:00:00.123Z` as `2026-11-22 15:00:00`."""
    return time.replace("T", " ")[:19]
