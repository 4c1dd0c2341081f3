"""Writes the table of faults in docs/gateway.md: `python -m tests.gateway.faults.table`."""

from __future__ import annotations

import re
from pathlib import Path

from pipeline.gateway.faults.kinds import KINDS, WAYS

DOCUMENT = Path(__file__).parents[3] / "docs" / "gateway.md"
BEGIN, END = "<!-- table of faults -->\n", "<!-- end of the table -->\n"
_TABLE = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)


def table() -> str:
    """The table: for each fault what it does, its handset, its keys, and the ways that play it."""
    ways = " | ".join(WAYS)
    rows = [f"| fault | what happens | handset | its own keys | {ways} |", "|---" * 10 + "|"]
    for kind in KINDS:
        marks = " | ".join("yes" if way in kind.ways else "" for way in WAYS)
        keys = ", ".join(f"`{key}`" for key in kind.values)
        handset = "279991000NNN" if kind.name == "refuse" else kind.handset
        rows.append(
            f"| `{kind.name}` | {kind.words} | {handset} | {keys} | {marks} |".replace("  |", " |")
        )
    return "\n".join(rows) + "\n"


def with_table(document: str) -> str:
    """The document with the table as it is now."""
    return _TABLE.sub(lambda _: f"{BEGIN}{table()}{END}", document)


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text()))
