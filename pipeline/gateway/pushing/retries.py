"""When the gateway tries a delivery again, after each failure."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

#: Of a handset's message (guide 8.3.1): after the last, never.
MO_RETRIES: Final = tuple(timedelta(minutes=2**exponent) for exponent in range(1, 8))
#: Of a status (Clickatell's overview of 2014): once more after three days.
MT_RETRIES: Final = (*MO_RETRIES, timedelta(days=3))
