"""A position in the events of the stand-in; a slow reader needs no queue."""

from __future__ import annotations

import asyncio
from itertools import takewhile
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pipeline.gateway.world import World, WorldEvent


class Cursor:
    """Reads the events after number `at`; it misses events that are no longer kept."""

    def __init__(self, world: World, at: int) -> None:
        self.at = at
        self._world = world
        self._happened = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._end = world.listen(self._tell)

    def take(self) -> list[WorldEvent]:
        """Return the events since the last call, the oldest first."""
        self._happened.clear()
        newest_first = reversed(list(self._world.events))  # a copy: a server's thread may add
        events = list(takewhile(lambda event: event.number > self.at, newest_first))[::-1]
        if events:
            self.at = events[-1].number
        return events

    async def more(self, *, within_seconds: float) -> bool:
        """Wait for an event; return False if none came in `within_seconds`."""
        try:
            async with asyncio.timeout(within_seconds):
                await self._happened.wait()
        except TimeoutError:
            return False
        return True

    def _tell(self, _: WorldEvent) -> None:
        self._loop.call_soon_threadsafe(self._happened.set)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()


def newest(world: World) -> int:
    """The number of the last event; 0 if there is none."""
    return world.events[-1].number if world.events else 0


def place_after(world: World, number: int) -> int | None:
    """Return `number` if all events after it are kept, else None."""
    if number > newest(world) or (world.events and world.events[0].number > number + 1):
        return None
    return number
