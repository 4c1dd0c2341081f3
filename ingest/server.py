"""Listens, and keeps all connections together within the limits.

An own server because the ready ones refuse or shorten targets that hold a message: decision 0020.
"""

from __future__ import annotations

import asyncio
import logging
from email.utils import formatdate
from time import monotonic
from typing import TYPE_CHECKING, Final

from ingest.connection import Connection

if TYPE_CHECKING:
    import ssl

    from ingest.connection import Handler
    from ingest.limits import Limits

log = logging.getLogger("twoway.ingest")

SWEEP_SECONDS: Final = 0.5


class CannotListen(OSError):
    """The address or port is not to be had; the words say which."""


class Server:
    """Listens, and keeps the connections within the limits."""

    def __init__(self, handler: Handler, limits: Limits) -> None:
        self.handler = handler
        self.limits = limits
        self.loop = asyncio.get_running_loop()
        self.in_flight = 0
        self.held_octets = 0
        self.is_closing = False
        self._connections: set[Connection] = set()
        self._date = (0, "")
        self._none_left = asyncio.Event()
        self._sweep_handle: asyncio.TimerHandle | None = None

    @property
    def is_full(self) -> bool:
        """Whether one more request is too many."""
        return self.in_flight >= self.limits.requests

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return len(self._connections)

    def admit(self, connection: Connection) -> bool:
        """Whether one more client can be served; it is known from now on either way."""
        self._connections.add(connection)
        return len(self._connections) <= self.limits.connections

    def forget(self, connection: Connection) -> None:
        """The client is gone."""
        self._connections.discard(connection)
        if not self._connections:
            self._none_left.set()

    def date(self) -> str:
        """The time as RFC 9110 5.6.7 has it, made once a second."""
        second = int(self.loop.time())
        if second != self._date[0]:
            self._date = (second, formatdate(usegmt=True))
        return self._date[1]

    async def start(self, *, host: str, port: int, tls: ssl.SSLContext | None) -> int:
        """Listen; the port, which the system chose when it was 0. Raises `CannotListen`."""
        try:
            self._listener = await self.loop.create_server(
                lambda: Connection(self),
                host,
                port,
                ssl=tls,
                backlog=1024,
                ssl_handshake_timeout=self.limits.head_seconds if tls else None,
            )
        except OSError as error:
            raise CannotListen(f"cannot listen on {host}:{port}: {error.strerror}") from error
        self._sweep()
        return int(self._listener.sockets[0].getsockname()[1])

    def _sweep(self) -> None:
        now = monotonic()
        for connection in list(self._connections):
            connection.check_time(now)
        self._sweep_handle = self.loop.call_later(SWEEP_SECONDS, self._sweep)

    async def stop(self, *, patience_seconds: float) -> None:
        """Take no more, answer what is under way, close; what is left after `patience` is cut."""
        self.is_closing = True
        self._listener.close()
        for connection in list(self._connections):
            connection.close()
        self._none_left.clear()
        if self._connections:
            try:
                async with asyncio.timeout(patience_seconds):
                    await self._none_left.wait()
            except TimeoutError:
                log.warning("%d connections cut", len(self._connections))
        for connection in list(self._connections):
            connection.abort()
        if self._sweep_handle is not None:
            self._sweep_handle.cancel()
