"""Listens, and ends connections that exceed their time limits.

This is our own server, because existing servers refuse or cut targets that hold a message
(decision 0020).
"""

from __future__ import annotations

import asyncio
import logging
from time import monotonic
from typing import TYPE_CHECKING, Final

from ingest.http.connection import Connection

if TYPE_CHECKING:
    import ssl

    from ingest.http.capacity import Capacity
    from ingest.http.connection import Handler

log = logging.getLogger("twoway.ingest")

SWEEP_SECONDS: Final = 0.5


class CannotListen(OSError):
    """The address or port cannot be used; the words say which."""


class Server:
    """One listening port."""

    def __init__(self, handler: Handler, capacity: Capacity) -> None:
        self._handler = handler
        self._capacity = capacity
        self._loop = asyncio.get_running_loop()
        self._sweep_handle: asyncio.TimerHandle | None = None

    async def start(self, *, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen; returns the port, which the system chooses for 0. Raises `CannotListen`."""
        try:
            self._listener = await self._loop.create_server(
                lambda: Connection(self._handler, self._capacity),
                host,
                port,
                ssl=tls,
                backlog=1024,
                ssl_handshake_timeout=self._capacity.limits.head_seconds if tls else None,
            )
        except OSError as error:
            raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from error
        self._sweep()
        return int(self._listener.sockets[0].getsockname()[1])

    def _sweep(self) -> None:
        now = monotonic()
        for client in self._capacity.clients:
            client.check_time(now)
        self._sweep_handle = self._loop.call_later(SWEEP_SECONDS, self._sweep)

    async def stop(self, *, patience_seconds: float) -> None:
        """Accept no more connections, answer requests in progress, then close.

        Connections that are still open after `patience_seconds` are cut.
        """
        self._capacity.is_closing = True
        self._listener.close()
        for client in self._capacity.clients:
            client.close()
        try:
            async with asyncio.timeout(patience_seconds):
                await self._capacity.until_empty()
        except TimeoutError:
            log.warning("%d connections cut", self._capacity.connections)
        for client in self._capacity.clients:
            client.abort()
        if self._sweep_handle is not None:
            self._sweep_handle.cancel()
