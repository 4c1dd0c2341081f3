"""How the commands write values: JSON lines, times in ISO 8601, octets in hex."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from pipeline.cli.terminal.saying import say
from pipeline.clock import text_from_time


def plain(value: Any) -> Any:
    """A record or a value as plain JSON types: times in ISO 8601, octets in lower-case hex."""
    match value:
        case msgspec.Struct():
            return plain(msgspec.structs.asdict(value))
        case bytes():
            return value.hex()
        case datetime():
            return text_from_time(value)
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value


def print_json_line(value: Any) -> None:
    """Print one line of JSON on stdout. It is not buffered, because a reader may wait for it."""
    say(msgspec.json.encode(plain(value)).decode())
