"""The limits that all connections share, and how much of them is in use."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ingest.http.limits import Limits


class Client(Protocol):
    """A connection, as `Capacity` and the server see it."""

    def check_time(self, now: float) -> None: ...

    def close(self) -> None: ...

    def abort(self) -> None: ...


class Capacity:
    """Counts clients, requests under way and octets held."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.in_flight = 0
        self.held_octets = 0
        self.is_closing = False
        self._clients: set[Client] = set()
        self._empty = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether one more request is too many."""
        return self.in_flight >= self.limits.requests

    @property
    def clients(self) -> list[Client]:
        """The connected clients."""
        return list(self._clients)

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._clients)

    def admit(self, client: Client) -> bool:
        """Add a client; whether it can be served. A client over the limit is added too."""
        self._clients.add(client)
        return len(self._clients) <= self.limits.connections

    def remove(self, client: Client) -> None:
        """Remove a client that has disconnected."""
        self._clients.discard(client)
        if not self._clients:
            self._empty.set()

    async def until_empty(self) -> None:
        """Wait until no client is connected."""
        self._empty.clear()
        if self._clients:
            await self._empty.wait()
