"""When a delivery that failed is tried again: the gateway's own schedule (G8.3.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

#: After each failure, from the first on. After the last of them nothing more is tried.
WAITS: Final = tuple(timedelta(minutes=minutes) for minutes in (2, 4, 8, 16, 32, 64, 128))
#: An application may ask for a later attempt, but not for one so late that it is as good as none.
LONGEST_ASKED: Final = timedelta(hours=24)


def next_attempt(attempt: int, failed_at: datetime, retry_after_seconds: int) -> datetime | None:
    """When to try again after this attempt (1 for the first) has failed; None: it is given up."""
    if attempt > len(WAITS):
        return None
    wait = WAITS[attempt - 1]
    if retry_after_seconds > 0:
        asked = timedelta(seconds=min(retry_after_seconds, LONGEST_ASKED.total_seconds()))
        wait = max(wait, asked)
    return failed_at + wait
