"""How the commands write values: JSON lines, times in ISO 8601, octets in hex."""

from __future__ import annotations

from typing import Any

import msgspec
import typer

from pipeline.records.plain import plain, text_from_time

__all__ = ["plain", "print_json_line", "text_from_time"]


def print_json_line(value: Any) -> None:
    """Print one line of JSON on stdout. It is not buffered, because a reader may wait for it."""
    typer.echo(msgspec.json.encode(plain(value)).decode())
