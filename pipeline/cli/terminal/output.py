"""How the commands write values: JSON lines, times in ISO 8601, octets in hex."""

from __future__ import annotations

from typing import Any

import msgspec

from pipeline.cli.terminal.saying import say
from pipeline.records.plain import plain


def print_json_line(value: Any) -> None:
    """Print one line of JSON on stdout. It is not buffered, because a reader may wait for it."""
    say(msgspec.json.encode(plain(value)).decode())
