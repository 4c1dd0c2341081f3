"""Checks the permit right before a request is written, and knows whether it was written.

aiohttp connects, and then `ClientRequest.send` writes the request. Before a failure that comes
earlier nothing was sent, whatever the class of the error is.
"""

from __future__ import annotations

import select
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from aiohttp import ClientConnectionError, ClientRequest

from pipeline.sender.way import PermitEnded

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import ClientResponse
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.connector import Connection


class Departure:
    """Whether a message may be written, asked at the last moment, and whether it was."""

    def __init__(self, may_go: Callable[[], bool]) -> None:
        self._may_go = may_go
        self.has_left = False

    def leave(self) -> None:
        """Note that octets are written from now on; raises `PermitEnded` if the permit ended."""
        if not self._may_go():
            raise PermitEnded
        self.has_left = True

    def came_back(self) -> None:
        """Note that the gateway did not take the message that was written."""
        self.has_left = False


departing: Final[ContextVar[Departure | None]] = ContextVar("departing", default=None)
#: Connections that had a request before.
_used: Final[WeakSet[ResponseHandler]] = WeakSet()


class Stale(ClientConnectionError):
    """A kept connection cannot be used any more; nothing was written to it."""


class AskedRequest(ClientRequest):
    """A request that checks the permit when it has a connection, before it is written."""

    async def send(self, conn: Connection) -> ClientResponse:
        protocol = conn.protocol
        if protocol is None or (protocol in _used and _has_said_something(conn, protocol)):
            raise Stale
        _used.add(protocol)
        departure = departing.get()
        if departure is not None:
            departure.leave()
        return await super().send(conn)


def _has_said_something(conn: Connection, protocol: ResponseHandler) -> bool:
    """Whether the peer closed the connection, or sent octets, since the last answer.

    Octets that were read are in the protocol, and would be taken for the answer to the next
    request. A close that the event loop has not seen yet is read here.
    """
    held: Any = conn.transport and conn.transport.get_extra_info("socket")
    if held is None or protocol.should_close:
        return True
    look = select.poll()
    look.register(held.fileno(), select.POLLIN)
    return bool(look.poll(0))
