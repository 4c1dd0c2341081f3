"""Shares one session at the gateway among the calls of one API."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from pipeline.sender.way import Trouble
from pipeline.sender.ways.over_http.verdict import not_sent

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pipeline.sender.way import Answer

#: The gateway ends a session that was not used for 15 minutes (HTTP API 2.3.8, 4.1). One that was
#: not used for 10 is left: a new login costs one call, as a ping would.
IDLE_SECONDS: Final = 600.0


class SharedLogin:
    """Logs in when a session is needed, once for all calls that wait for it."""

    def __init__(
        self,
        log_in: Callable[[], Awaitable[str | Answer]],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`log_in` returns a session, or the answer to a failed login; it raises nothing."""
        self._log_in = log_in
        self._clock = clock
        self._session = ""
        self._used_at = 0.0
        self._under_way: asyncio.Task[str | Answer] | None = None

    async def session(self) -> str | Answer:
        """Return a session that the gateway should know, or the answer why there is none."""
        now = self._clock()
        if self._session and now - self._used_at < IDLE_SECONDS:
            self._used_at = now
            return self._session
        if self._under_way is None:
            self._under_way = asyncio.create_task(self._renew(), name="log-in")
        under_way = self._under_way
        await asyncio.wait({under_way})
        if under_way.cancelled():  # by `close`, and not whoever waits here
            return not_sent("the connection to the gateway is being ended", trouble=Trouble.NONE)
        return under_way.result()

    def drop(self, session: str = "") -> None:
        """Log in again before the next call; with `session`, only if that session is in use."""
        if not session or session == self._session:
            self._session = ""

    async def close(self) -> None:
        """End a login that is under way, and drop the session; calls that wait send nothing."""
        self.drop()
        if self._under_way is not None:
            self._under_way.cancel()
            await asyncio.wait({self._under_way})

    async def _renew(self) -> str | Answer:
        try:
            found = await self._log_in()
            if isinstance(found, str):
                self._session, self._used_at = found, self._clock()
            return found
        finally:
            self._under_way = None
