"""The rate at which one API may be used: a token bucket of parts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Bucket:
    """Lets `rate` parts a second pass, and at most the parts of one second at once; 0: no limit.

    `share` is this sender's share of the rate: its partitions out of all partitions.
    """

    def __init__(self, rate: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._tokens = 0.0
        self._at = clock()
        self.share = 1.0

    def wait(self, parts: int) -> float:
        """Take `parts` tokens; return the seconds to wait before using them."""
        rate = self._rate * self.share
        if not self._rate:
            return 0.0
        if rate <= 0:
            return 1.0
        now = self._clock()
        most = max(rate, 1.0)
        self._tokens = min(most, self._tokens + (now - self._at) * rate)
        self._at = now
        self._tokens -= parts
        return max(0.0, -self._tokens / rate)

    async def take(self, parts: int) -> None:
        """Wait until `parts` may pass."""
        seconds = self.wait(parts)
        if seconds:
            await asyncio.sleep(seconds)
