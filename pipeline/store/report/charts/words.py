"""Values of charts in words."""

from __future__ import annotations


def words_of_count(value: float) -> str:
    """A count."""
    return f"{value:,.0f}"


def words_of_hours(value: float) -> str:
    """A time of so many hours: `45 s`, `12 min`, `5 h 45 min`."""
    seconds = round(value * 3600)
    if not seconds:
        return "0"
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours:,} h" + (f" {rest} min" if rest else "")
