"""The fixed values of sending, and the reasons."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

#: No API may be given a longer time to answer (`timeout_seconds` in apis.toml).
LONGEST_CALL: Final = timedelta(seconds=60)


@dataclass(frozen=True, kw_only=True)
class SendingRules:
    """What can be set about sending; the product uses the defaults, tests set other values."""

    #: How long a permit is good: an MT leaves no later than this after the check of consent.
    permit: timedelta = timedelta(seconds=10)
    #: A permit without a result this long after its end: the outcome is not known.
    lapse: timedelta = LONGEST_CALL + timedelta(seconds=30)
    #: "Not known" from the gateway means "was never sent" only this long after a permit's end:
    #: sockets, proxies and a stopped sender may hold a request back.
    guard: timedelta = timedelta(minutes=10)
    #: Waits after the first, second, … temporary failure; the last is repeated.
    retries: tuple[timedelta, ...] = (
        timedelta(seconds=5),
        timedelta(seconds=15),
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=15),
    )
    #: When the gateway is asked about an unknown command, counted from when it became unknown.
    queries: tuple[timedelta, ...] = (
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=11),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=8),
        timedelta(hours=24),
    )
    #: How long after the last question the command moves, as unknown, to the sent commands.
    last_answer: timedelta = timedelta(hours=1)
