"""The pauses after which the gateway tries again to push a message or a status."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

#: For a handset's message (guide 8.3.1); after the last the gateway gives up.
MO_RETRIES: Final = tuple(timedelta(minutes=2**exponent) for exponent in range(1, 8))
#: For a status (Clickatell's overview of 2014): a last attempt three days later.
MT_RETRIES: Final = (*MO_RETRIES, timedelta(days=3))
