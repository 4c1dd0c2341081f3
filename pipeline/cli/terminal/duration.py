"""Durations as people type them: `90m`, `6h`, `1h30m`, `2d`."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
PATTERN: Final = re.compile(
    r"(?:(\d{1,5})d)?(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,9})s)?", re.ASCII
)


def duration_from_text(text: str) -> timedelta:
    """`1h30m` is 90 minutes. Units: d, h, m, s, in this order, each once. Raises `ValueError`."""
    found = PATTERN.fullmatch(text.strip().lower())
    counts = [int(count or 0) for count in found.groups()] if found else [0]
    seconds = sum(count * size for count, size in zip(counts, UNITS.values(), strict=False))
    if seconds == 0:
        raise ValueError(f"{text!r} is not a duration such as 90m, 6h, 1h30m or 2d")
    return timedelta(seconds=seconds)


def text_from_duration(duration: timedelta) -> str:
    """The shortest text of a duration of whole seconds; `0s` for zero."""
    left = int(duration.total_seconds())
    words = []
    for unit, size in UNITS.items():
        count, left = divmod(left, size)
        if count:
            words.append(f"{count}{unit}")
    return "".join(words) or "0s"
