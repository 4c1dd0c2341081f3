"""The header Retry-After (RFC 9110 10.2.3): seconds, or a date."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_SECONDS: Final = 24 * 3600
_LONGEST_TEXT: Final = 64


def seconds_from_header(text: str, *, now: float) -> int:
    """How many seconds to wait, at most a day; 0 for what cannot be read. `now` is UNIX time."""
    text = text.strip()[:_LONGEST_TEXT]
    if text.isascii() and text.isdigit():
        return min(int(text), LONGEST_SECONDS)
    try:
        until = parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return 0
    return max(0, min(round(until - now), LONGEST_SECONDS))
