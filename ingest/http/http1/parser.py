"""Parses HTTP/1.1 requests (RFC 9112), without sockets, clock or decoding.

Framing is strict: whatever could be read as two different requests is refused (RFC 9112 6.3, 11.2).
"""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING, Final

from ingest.http.http1.head import BadRequest, body_length, head_from_octets, header_from_line

if TYPE_CHECKING:
    from ingest.http.http1.head import Head

HEADERS_LIMIT: Final = 32 * 1024
CHUNK_LINE_LIMIT: Final = 256
TRAILERS_LIMIT: Final = 32
_END: Final = b"\r\n\r\n"
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*+(?:;[^\x00\r\n]*)?")  # RFC 9112 7.1


class _Expects(Enum):
    HEAD = auto()
    OCTETS = auto()
    CHUNK_LINE = auto()
    CHUNK_END = auto()
    TRAILERS = auto()
    NOTHING = auto()


class RequestReader:
    """Reads the requests of one connection: `feed`, `read_head`, `read_body`, then `start_next`.

    `read_head` and `read_body` return None until enough octets were fed, and raise `BadRequest`. If
    a body exceeds the limit, `read_body` returns its beginning, and `is_too_long` is true.
    """

    def __init__(self, *, body_limit: int) -> None:
        self._body_limit = body_limit
        self._buffer = bytearray()
        self._searched = 0
        self._expects = _Expects.HEAD
        self._remaining = 0
        self._chunked = False
        self._body = bytearray()
        self.is_too_long = False

    def feed(self, octets: bytes) -> None:
        """Add octets that arrived."""
        self._buffer += octets

    @property
    def held_octets(self) -> int:
        """How many octets this connection keeps in memory."""
        return len(self._buffer) + len(self._body)

    @property
    def is_idle(self) -> bool:
        """Whether no octet of the next request has arrived."""
        return self._expects is _Expects.HEAD and not self._buffer

    def start_next(self) -> None:
        """Start to read the next request."""
        self._expects = _Expects.HEAD
        self._body = bytearray()
        self._searched = 0

    def read_head(self) -> Head | None:
        """The head, once it is complete; it also sets how the body is read."""
        while self._buffer.startswith(b"\r\n"):  # RFC 9112 2.2: empty lines before a request
            del self._buffer[:2]
            self._searched = 0
        end = self._buffer.find(_END, max(0, self._searched - len(_END)))
        if end < 0:
            self._searched = len(self._buffer)
            self._refuse_endless_head()
            return None
        if end > self._body_limit + 2 * HEADERS_LIMIT:  # before anything is matched
            raise BadRequest("the headers are too long", status=431)
        octets = bytes(self._buffer[:end])
        del self._buffer[: end + len(_END)]
        head = head_from_octets(octets)
        if len(head.target) > self._body_limit:
            raise BadRequest("the target is too long", status=414)
        if len(octets) - len(head.target) > HEADERS_LIMIT:
            raise BadRequest("the headers are too long", status=431)
        length = body_length(head)
        self._chunked = length is None
        self._expect_octets(length or 0)
        self._expects = _Expects.CHUNK_LINE if self._chunked else _Expects.OCTETS
        return head

    def _refuse_endless_head(self) -> None:
        if len(self._buffer) <= self._body_limit + HEADERS_LIMIT:
            return
        if b"\r\n" not in self._buffer:
            raise BadRequest("the target is too long", status=414)
        if len(self._buffer) > self._body_limit + 2 * HEADERS_LIMIT:
            raise BadRequest("the headers are too long", status=431)

    def read_body(self) -> bytes | None:
        """The body, once it is complete."""
        while self._expects is not _Expects.NOTHING:
            if not self._advance():
                return None
        return bytes(self._body)

    def _advance(self) -> bool:
        """Read one step of the body; False if it needs more octets."""
        match self._expects:
            case _Expects.OCTETS:
                taken = self._buffer[: self._remaining]
                self._body += taken
                del self._buffer[: len(taken)]
                self._remaining -= len(taken)
                if self._remaining:
                    return False
                is_last = self.is_too_long or not self._chunked
                self._expects = _Expects.NOTHING if is_last else _Expects.CHUNK_END
            case _Expects.CHUNK_LINE:
                line = self._line()
                if line is None:
                    return False
                self._start_chunk(line)
            case _Expects.CHUNK_END:
                if len(self._buffer) < 2:
                    return False
                if self._buffer[:2] != b"\r\n":
                    raise BadRequest("a chunk does not end where it says")
                del self._buffer[:2]
                self._expects = _Expects.CHUNK_LINE
            case _Expects.TRAILERS:  # read and forgotten (RFC 9112 7.1.2)
                line = self._line()
                if line is None:
                    return False
                self._remaining += 1
                if self._remaining > TRAILERS_LIMIT:
                    raise BadRequest("the chunked body has too many trailers", status=431)
                if line:
                    header_from_line(line)
                else:
                    self._expects = _Expects.NOTHING
        return True

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\r\n")
        if end > CHUNK_LINE_LIMIT or (end < 0 and len(self._buffer) > CHUNK_LINE_LIMIT + 1):
            raise BadRequest("a line of the chunked body is too long")
        if end < 0:
            return None
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 2]
        return line

    def _start_chunk(self, line: bytes) -> None:
        chunk = _CHUNK.fullmatch(line)
        if chunk is None:
            raise BadRequest("a chunk has no size")
        size = int(chunk[1], 16)
        self._expect_octets(size)
        self._expects = _Expects.OCTETS if size else _Expects.TRAILERS

    def _expect_octets(self, count: int) -> None:
        """Expect `count` octets of the body next, but keep no more than the limit allows."""
        room = self._body_limit - len(self._body)
        self.is_too_long = count > room
        self._remaining = min(count, room)
