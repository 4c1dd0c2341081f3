"""The time of the next attempt after a failed one, by the gateway's own schedule (G8.3.1)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

#: The pause after each failure, from the first on; after the last pause one attempt is left.
WAITS: Final = tuple(timedelta(minutes=minutes) for minutes in (2, 4, 8, 16, 32, 64, 128))
#: The latest attempt that an application may ask for by Retry-After.
LONGEST_ASKED: Final = timedelta(hours=24)


def next_attempt(attempt: int, failed_at: datetime, retry_after_seconds: int) -> datetime | None:
    """The time to try again after attempt `attempt` (from 1) failed; None to give up."""
    if attempt > len(WAITS):
        return None
    wait = WAITS[attempt - 1]
    if retry_after_seconds > 0:
        asked = timedelta(seconds=min(retry_after_seconds, LONGEST_ASKED.total_seconds()))
        wait = max(wait, asked)
    return failed_at + wait
