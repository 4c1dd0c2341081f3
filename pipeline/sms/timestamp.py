"""Times of the gateway: local time at a fixed +02:00 (G8.3.1), in whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

_LENGTH: Final = len("YYYY-MM-DDHH:MM:SS")
_SHORT: Final = 32  # characters; a longer text is shortened before the cache sees it
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def time_from_gateway(text: str) -> datetime | None:
    """The time in `YYYY-MM-DD HH:MM:SS` at +02:00, or None when `text` is not such a time.

    The blank may be missing, as in the guide's example. A date before 1970, such as the zero date
    of MySQL, cannot be the time of a message and gives None.
    """
    return _time_from_short(text if len(text) <= _SHORT else "".join(text.split())[: _LENGTH + 1])


@lru_cache(maxsize=1024)  # messages of one second have the same time
def _time_from_short(text: str) -> datetime | None:
    tight = "".join(text.split())
    if len(tight) != _LENGTH or tight[4:8:3] != "--" or tight[12:16:3] != "::":
        return None
    try:
        time = datetime.fromisoformat(f"{tight[:10]}T{tight[10:]}+02:00").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return time if time >= _EPOCH else None


def seconds_of(time: datetime) -> int:
    """The whole seconds from 1970 to `time`, rounded down. Gateway times are compared this way."""
    since = time - _EPOCH  # three times as fast as `timestamp`, and exact
    return since.days * 86_400 + since.seconds


def time_of(seconds: int) -> datetime:
    """The time at the start of a second, counted since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
