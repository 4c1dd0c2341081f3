"""Bounds an answer over HTTP: its octets, and the time until all of them have come.

The time-out of a socket is the wait for one octet more, and http.client does not bound a body
without end. Here the socket is read within bounds, for the head and for the body.
"""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import socket

#: Status line and headers. A query of ClickHouse's adds a header of its progress now and then.
HEAD_OCTETS: Final = 256 << 10
#: Of an answer whose status tells a failure: words.
FAILURE_OCTETS: Final = 256 << 10


class AnswerRefused(OSError):
    """An answer is larger than its bounds, or of a form that was not requested."""


@dataclass(frozen=True)
class AnswerBounds:
    """The bounds of one answer: octets of its body, and seconds from the request to its end."""

    octets: int
    seconds: float

    def until(self) -> float:
        """The deadline, on the monotonic clock, of a request that is made now."""
        return time.monotonic() + self.seconds


def seconds_until(until: float) -> float:
    """The seconds that are left; raises `TimeoutError` if there are none."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the answer did not come to its end in time")
    return left


class _Octets(io.RawIOBase):
    """The octets of a socket, until there are too many or they take too long."""

    def __init__(self, sock: socket.socket, *, until: float) -> None:
        self._sock = sock
        self._file = sock.makefile("rb", buffering=0)
        self._until = until
        self.left = HEAD_OCTETS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(seconds_until(self._until))
        count = self._file.readinto(buffer)
        self.left -= count or 0
        if self.left < 0:
            raise AnswerRefused("the answer is larger than was asked for")
        return count

    def close(self) -> None:
        self._file.close()
        super().close()


class BoundedResponse(HTTPResponse):
    """The class by which http.client reads an answer, as a connection's `response_class`."""

    def __init__(
        self, sock: socket.socket, *given: Any, bounds: AnswerBounds, until: float, **named: Any
    ) -> None:
        super().__init__(sock, *given, **named)
        self.fp.close()
        self._octets = _Octets(sock, until=until)
        self.fp = io.BufferedReader(self._octets)
        self._bounds = bounds

    def begin(self) -> None:
        """Read the head; raises `AnswerRefused` for one that would be larger than it looks."""
        super().begin()
        if self.headers.get("Content-Encoding", "identity") != "identity":
            raise AnswerRefused("the answer is compressed, which was not asked for")
        if self.length is None and not self.chunked:
            raise AnswerRefused("the answer does not tell where it ends")
        octets = self._bounds.octets
        self._octets.left += octets if self.status < 300 else min(octets, FAILURE_OCTETS)
