"""Records and values as plain JSON types: times in ISO 8601, octets in lower-case hex."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec


def text_from_time(time: datetime) -> str:
    """ISO 8601 in UTC with `Z`; the fraction of a second is left out if it is zero."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")


def plain(value: Any) -> Any:
    """A record or a value as plain JSON types."""
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
