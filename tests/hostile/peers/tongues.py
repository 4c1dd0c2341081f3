"""How each protocol says things. A new protocol needs a class here, and no lie of its own."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from tests.sender.ways.counterpart import line_as

if TYPE_CHECKING:
    from pipeline.sender.apis.api import WayName

_PIECE: Final = b"x" * 60_000


class Kafka:
    """Frames of a length and the request's number (Kafka protocol guide, Response Header v0)."""

    def said(self, words: bytes, answer: bytes) -> bytes:
        return struct.pack(">i", 4 + len(words)) + answer[4:8].ljust(4, b"\0") + words

    def endless(self, answer: bytes) -> tuple[bytes, bytes]:
        return b"\x7f\xff\xff\xff" + answer[4:8], _PIECE


class Http:
    """An error of ClickHouse's where the peer is one, and else just an error."""

    def said(self, words: bytes, answer: bytes) -> bytes:
        head = b"HTTP/1.1 500 %s\r\nX-ClickHouse-Exception-Code: 27\r\n" % words[:99]
        return head + b"Content-Length: %d\r\n\r\n" % len(words) + words

    def endless(self, answer: bytes) -> tuple[bytes, bytes]:
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        return head, b"%x\r\n" % len(_PIECE) + _PIECE + b"\r\n"


class GatewayOverHttp(Http):
    """A refusal of the gateway's, in the document of the way (HTTP 2.3.8, XML 2.4.9, SOAP)."""

    def __init__(self, way: WayName) -> None:
        self._way = way

    def said(self, words: bytes, answer: bytes) -> bytes:
        line = f"ERR: 114, {words.decode()}"  # "Cannot route message": of the message alone
        body = line_as(self._way, "sendmsg", line)
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body


class Lines:
    """Lines of a code and words, of FTP (RFC 959 4.2) and SMTP (RFC 5321 4.2)."""

    def __init__(self, refusal: bytes) -> None:
        self._refusal = refusal

    def said(self, words: bytes, answer: bytes) -> bytes:
        return self._refusal + b" " + words + b"\r\n"

    def endless(self, answer: bytes) -> tuple[bytes, bytes]:
        return answer[:3] + b"-so\r\n", (answer[:3] + b"-" + b"x" * 997 + b"\r\n") * 60


class Smpp:
    """PDUs (SMPP 3.4 3.2): the answer's own command and number, a status, the words as body."""

    def said(self, words: bytes, answer: bytes) -> bytes:
        words = words[:60_000]
        header = answer[4:8] + b"\0\0\0\x08" + answer[12:16]
        return struct.pack(">I", 4 + len(header) + len(words)) + header + words

    def endless(self, answer: bytes) -> tuple[bytes, bytes]:
        return answer, self.said(_PIECE, answer)
