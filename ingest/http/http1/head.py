"""The head of an HTTP/1.1 request, and how it frames the body (RFC 9112).

The target is kept as it came. RFC 9112 3.2 would refuse raw octets, blanks or `#` in it; here a
refused target is a lost message, so only CR and LF, which end the line, cannot be part of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_REQUEST_LINE: Final = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([^\r\n]+) HTTP/1\.([01])"
)  # RFC 9112 3; a method is a token (RFC 9110 5.6.2)
_NAME: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # a token (RFC 9110 5.6.2)
_BLANKS: Final = b" \t"
_NOT_IN_A_LINE: Final = re.compile(rb"[\x00\r\n]")


class BadRequest(ValueError):
    """The octets are no request we can frame; `status` is the answer, the words its reason."""

    def __init__(self, words: str, *, status: int = 400) -> None:
        super().__init__(words)
        self.status = status


@dataclass(frozen=True, slots=True)
class Head:
    """Request line and headers; header names are lower case."""

    method: str
    target: bytes
    minor_version: int
    headers: tuple[tuple[bytes, bytes], ...]

    def header(self, name: bytes) -> bytes:
        """The value of the first header of that lower-case name; empty when there is none."""
        for given, value in self.headers:
            if given == name:
                return value
        return b""

    def all_of(self, name: bytes) -> bytes:
        """The values of every header of that name, as one list (RFC 9110 5.3)."""
        return b",".join(value for given, value in self.headers if given == name)

    def any_of(self, names: frozenset[bytes]) -> bytes:
        """The values of every header of those names, one after the other."""
        return b",".join([value for given, value in self.headers if given in names])

    @property
    def keeps_alive(self) -> bool:
        """Whether the client will send another request here (RFC 9112 9.3)."""
        connection = self.all_of(b"connection")
        if not connection:
            return self.minor_version == 1
        options = {option.strip().lower() for option in connection.split(b",")}
        return b"close" not in options and (self.minor_version == 1 or b"keep-alive" in options)

    @property
    def awaits_continue(self) -> bool:
        """Whether the body comes only after `100 Continue` (RFC 9110 10.1.1)."""
        return self.minor_version == 1 and self.header(b"expect").lower() == b"100-continue"


def head_from_octets(octets: bytes) -> Head:
    """The head in `octets`, without the empty line that ends it; raises `BadRequest`."""
    first, *lines = octets.split(b"\r\n")
    request_line = _REQUEST_LINE.fullmatch(first)
    if request_line is None:
        raise BadRequest("the request line is not HTTP/1.1")
    headers = []
    for line in lines:
        headers.append(header_from_line(line))
    if len({value for name, value in headers if name == b"host"}) > 1:  # RFC 9112 3.2
        raise BadRequest("there are two Hosts")
    method, target, minor = request_line.groups()
    return Head(method.decode("ascii"), target, int(minor), tuple(headers))


def header_from_line(line: bytes) -> tuple[bytes, bytes]:
    """Name in lower case and value; no fold (RFC 9112 5.2), no blank before the colon (5.1).

    Methods of bytes, each one pass: an expression for the blanks on both sides backtracks.
    """
    name, colon, value = line.partition(b":")
    if not colon or not _NAME.fullmatch(name) or _NOT_IN_A_LINE.search(value):
        raise BadRequest("a header is malformed")
    return name.lower(), value.strip(_BLANKS)


def body_length(head: Head) -> int | None:
    """Octets of the body, None when it is chunked; raises `BadRequest` (RFC 9112 6.3)."""
    codings = head.all_of(b"transfer-encoding")
    lengths = [value for name, value in head.headers if name == b"content-length"]
    if any(name == b"transfer-encoding" for name, _ in head.headers):  # an empty one too
        if lengths or head.minor_version == 0:
            raise BadRequest("Transfer-Encoding beside Content-Length or in HTTP/1.0")
        if codings.lower() != b"chunked":
            raise BadRequest("the only Transfer-Encoding taken is chunked", status=501)
        return None
    if not lengths:
        return 0
    if len(lengths) > 1 or not lengths[0].isdigit() or len(lengths[0]) > 15:
        raise BadRequest("Content-Length is not one number")
    return int(lengths[0])
