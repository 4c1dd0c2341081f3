"""How fast one API may be sent by: a token bucket of parts."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Bucket:
    """Lets `rate` parts a second pass, and at most a second's worth at once; 0: no limit.

    `share` is this sender's part of the rate: the partitions it owns of all.
    """

    def __init__(self, rate: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._clock = clock
        self._tokens = 0.0
        self._at = clock()
        self.share = 1.0

    def wait(self, parts: int) -> float:
        """Take `parts` tokens; how many seconds to wait before using them."""
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
