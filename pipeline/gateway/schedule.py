"""Runs jobs at later times of the home's clock, which `twoway clock advance` moves."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime, timedelta

log = logging.getLogger("twoway.gateway")
LOOK_SECONDS: Final = 0.05


class Schedule:
    """Runs each job once, at or after its time, in the order of the times."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._order = itertools.count()
        self._due: list[tuple[datetime, int, Callable[[], Awaitable[None]]]] = []
        self._running: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    def later(self, after: timedelta, job: Callable[[], Awaitable[None]]) -> None:
        """Run `job` when the clock is `after` later than now."""
        heapq.heappush(self._due, (self._now() + after, next(self._order), job))

    def start(self) -> None:
        """Start to watch the clock."""
        self._loop = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """Drop the jobs that wait, and cancel those that run."""
        tasks = [*self._running, *([self._loop] if self._loop else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def run_due(self) -> None:
        """Start every job whose time has come."""
        while self._due and self._due[0][0] <= self._now():
            _, _, job = heapq.heappop(self._due)
            task = asyncio.ensure_future(self._run(job))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _look(self) -> None:
        while True:
            self.run_due()
            await asyncio.sleep(LOOK_SECONDS)

    async def _run(self, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except Exception:
            log.exception("a job of the stand-in failed")
