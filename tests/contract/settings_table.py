"""The README's table of settings: `python -m tests.contract.settings_table` prints it."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any

from pipeline.settings import PREFIX, Settings

MARKER = "<!-- settings -->"


def shown(default: Any) -> str:
    """A default as a cell shows it."""
    return f"`{default}`" if str(default) else "none"


def settings_table(kind: Any = Settings) -> str:
    """Every setting with its variable, its default and its line of help, as Markdown."""
    rows = [
        f"| `{field.name}` | `{PREFIX}{field.name.upper()}` | {shown(field.default)}"
        f" | {field.metadata['help']} |"
        for field in dataclasses.fields(kind)
    ]
    return "\n".join(["| setting | variable | default | what it is |", "|---|---|---|---|", *rows])


def table_under_marker(text: str) -> str | None:
    """The table that follows the marker in `text`; None without a marker."""
    _, marker, after = text.partition(MARKER)
    if not marker:
        return None
    lines = after.strip().splitlines()
    end = next((at for at, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return "\n".join(lines[:end])


if __name__ == "__main__":
    sys.stdout.write(f"{MARKER}\n{settings_table()}\n")
