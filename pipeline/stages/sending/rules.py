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

    #: A permit is good for so long: an MT leaves no later after its look at consent.
    permit: timedelta = timedelta(seconds=10)
    #: A permit whose result has not come so long after its end: what became of it is not known.
    lapse: timedelta = LONGEST_CALL + timedelta(seconds=30)
    #: Only so long after a permit's end does "not known" from the gateway mean "was never sent":
    #: sockets, proxies and a sender that was stopped may hold a request back.
    guard: timedelta = timedelta(minutes=10)
    #: Waits after the first, second, … temporary failure; the last is repeated.
    retries: tuple[timedelta, ...] = (
        timedelta(seconds=5),
        timedelta(seconds=15),
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=15),
    )
    #: When the gateway is asked about an unknown command, from when it became unknown.
    queries: tuple[timedelta, ...] = (
        timedelta(minutes=1),
        timedelta(minutes=5),
        timedelta(minutes=11),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=8),
        timedelta(hours=24),
    )
    #: After the last question the command is kept as unknown among those that were sent.
    last_answer: timedelta = timedelta(hours=1)
