"""Tables for people of what happened in the demo, read from ClickHouse."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from pipeline.cli.demo.scene import Scene


ARRIVALS: Final = """\
SELECT concat(source, if(method = '', '', ' '), method) AS way, count() AS arrived,
    uniqExactIf(parts.part_id, parts.part_id != '') AS parts
FROM mo_raw LEFT JOIN mo_part AS parts
    ON parts.raw_partition = mo_raw.kafka_partition AND parts.raw_offset = mo_raw.kafka_offset
WHERE mo_raw.handset = '{handset}' AND (source != 'smpp' OR delivery > 0)
GROUP BY way ORDER BY way"""  # an smpp record without a delivery only notes that an answer arrived


def arrivals_table(scene: Scene, *, handset: str) -> Table:
    """How many events arrived by each way, and how many of them were new parts."""
    table = Table(title="What arrived, view mo_raw", title_justify="left")
    for head in ("way", "arrived", "new parts"):
        table.add_column(head, no_wrap=True, justify="left" if head == "way" else "right")
    for row in scene.rows(ARRIVALS.format(handset=handset)):
        table.add_row(*cells(row, "way", "arrived", "parts"))
    return table


def conversation_table(scene: Scene, *, handset: str) -> Table:
    """The view `two_way` of a handset; a refused MT is shown with the text of its request."""
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
    """Each change of consent: rule, message, since when it is true, and since when it is known."""
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
    """The named values as plain text, not as markup; times without a fraction."""
    return [
        Text(_second(str(row[name])) if name.endswith("at") else str(row[name])) for name in names
    ]


def _second(time: str) -> str:
    """`2026-11-22T15:00:00.123Z` as `2026-11-22 15:00:00`."""
    return time.replace("T", " ")[:19]
