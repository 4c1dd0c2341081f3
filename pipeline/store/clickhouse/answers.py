"""Bounds the answers of a ClickHouse server over HTTP: bounded octets within bounded time.

The driver itself waits for one octet more, again and again, and does not bound a body without end.
Here the request, the answer's head and its body are bounded, whatever the driver does with them.
"""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from pipeline.web.bounded_answer import (
    AnswerBounds,
    AnswerRefused,
    BoundedResponse,
    seconds_until,
)

if TYPE_CHECKING:
    import socket
    import ssl
    from collections.abc import Callable, Iterator

PIECE_OCTETS: Final = 64 << 10
#: What the driver reads at once, and not as it goes: all that it asks when it is made, too.
AT_ONCE_OCTETS: Final = 1 << 20
_SUMMARY: Final = "X-ClickHouse-Summary"


class AnswerUnreadable(OperationalError):
    """The octets are no answer of a ClickHouse server; the server counts as away."""


@contextmanager
def reading_an_answer() -> Iterator[None]:
    """Turn every error that the driver meets in an answer's octets into `AnswerUnreadable`."""
    try:
        yield
    except ClickHouseError:
        raise
    except Exception as error:
        kind = type(error).__name__  # its words may quote what was answered
        raise AnswerUnreadable(f"the server's answer cannot be read: {kind}") from error


def read_whole(answer: Any, *, octets: int, begins: bytes = b"", ends: bytes = b"") -> bytes:
    """The whole body of an answer; raises `AnswerUnreadable` as soon as a bound is broken."""
    pieces: list[bytes] = []
    try:
        while piece := answer.read(PIECE_OCTETS):
            octets -= len(piece)
            if octets < 0 or (not pieces and not piece.startswith(begins)):
                raise AnswerUnreadable("the server's answer is not what was asked for")
            pieces.append(piece)
    finally:
        answer.close()
    whole = b"".join(pieces)
    if whole and not whole.endswith(ends):
        raise AnswerUnreadable("the server's answer does not come to its end")
    return whole


class _Response(BoundedResponse):
    """An answer that is being read."""

    def begin(self) -> None:
        """Read the head; refuse here what the driver would take for a fault of a row."""
        super().begin()
        try:
            summary = json.loads(self.headers.get(_SUMMARY, "{}"))
        except ValueError:
            return  # the driver does without
        if not isinstance(summary, dict):
            raise AnswerRefused(f"{_SUMMARY} is no object of JSON")


class _Bounded:
    """A connection on which everything for one request ends within its time."""

    bounds_now: Callable[[], AnswerBounds]
    _until = 0.0

    def request(self, *given: Any, **named: Any) -> None:
        bounds = self.bounds_now()
        self._until = until = bounds.until()

        def answer(sock: socket.socket, **given: Any) -> _Response:
            return _Response(sock, bounds=bounds, until=until, **given)

        vars(self)["response_class"] = answer  # what http.client makes of the answer
        super().request(*given, **named)  # type: ignore[misc]

    def send(self, data: Any) -> None:
        sock: socket.socket | None = getattr(self, "sock", None)
        if sock is not None:
            sock.settimeout(seconds_until(self._until))
        super().send(data)  # type: ignore[misc]


class _Connection(_Bounded, HTTPConnection):
    pass


class _SecureConnection(_Bounded, HTTPSConnection):
    pass


class BoundedPool(PoolManager):
    """Connections to a server: bounded, and never redirected to another place."""

    def __init__(self, bounds: AnswerBounds, *, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(maxsize=4, retries=1, ssl_context=tls)
        self._bounds = bounds
        self._at_once = replace(bounds, octets=min(bounds.octets, AT_ONCE_OCTETS))
        self._asked = threading.local()  # of the request that is being made in a thread

    def _bounds_now(self) -> AnswerBounds:
        return self._bounds if self._asked.is_streamed else self._at_once

    def _new_pool(self, scheme: str, *given: Any, **named: Any) -> HTTPConnectionPool:
        pool = super()._new_pool(scheme, *given, **named)
        is_secure = isinstance(pool, HTTPSConnectionPool)
        kind = _SecureConnection if is_secure else _Connection
        pool.ConnectionCls = type(
            kind.__name__, (kind,), {"bounds_now": staticmethod(self._bounds_now)}
        )
        return pool

    def urlopen(self, method: str, url: str, **named: Any) -> Any:  # type: ignore[override]
        """Open as the driver asks, but follow no redirection."""
        self._asked.is_streamed = not named.get("preload_content", True)
        return super().urlopen(method, url, **(named | {"redirect": False}))
