"""The gateway's clock: local time at a fixed +02:00 (G8.3.1), whole seconds."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from pipeline.sms import LONGEST_CACHED

_LENGTH: Final = len("YYYY-MM-DDHH:MM:SS")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def time_from_gateway(text: str) -> datetime | None:
    """`YYYY-MM-DD HH:MM:SS` at +02:00, with or without the blank (the guide's example has none).

    None: not such a time. A date before 1970, such as MySQL's zero date, is no time of a message.
    """
    return _cached(text) if len(text) <= LONGEST_CACHED else _time_from_any(text)


def _time_from_any(text: str) -> datetime | None:
    tight = "".join(text.split())
    if len(tight) != _LENGTH or tight[4:8:3] != "--" or tight[12:16:3] != "::":
        return None
    try:
        time = datetime.fromisoformat(f"{tight[:10]}T{tight[10:]}+02:00").astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return time if time >= _EPOCH else None


_cached: Final = lru_cache(maxsize=1024)(_time_from_any)  # many within a second tell the same one


def seconds_of(time: datetime) -> int:
    """The whole second `time` lies in, since 1970: so gateway times are compared."""
    since = time - _EPOCH  # three times as quick as `timestamp`, and exact
    return since.days * 86_400 + since.seconds


def time_of(seconds: int) -> datetime:
    """The start of a second."""
    return datetime.fromtimestamp(seconds, UTC)
