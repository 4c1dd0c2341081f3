"""Puts an asterisk for each octet of a password, before a submission is kept or shown.

The length of the octets stays, except for a mail in base64 whose lines differ in length.
"""

from __future__ import annotations

import base64
import re
from bisect import bisect_right
from email import message_from_bytes
from typing import TYPE_CHECKING, Final

from pipeline.wire.xml import escaped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Span = tuple[int, int]

_FIELD: Final = re.compile(rb"(?:^|[?&\s])password=([^&\s]*)", re.IGNORECASE)
_OPEN: Final = re.compile(rb"<(?:[\w.-]{1,64}:)?password(?:\s[^>]{0,500})?>", re.IGNORECASE)
_CLOSE: Final = re.compile(rb"</(?:[\w.-]{1,64}:)?password\s{0,64}>", re.IGNORECASE)
_LINE: Final = re.compile(rb"(?:^|[\r\n])[ \t]*password[ \t]*:([^\r\n]*)", re.IGNORECASE)
_LOGIN: Final = re.compile(rb"[\r\n](?:proxy-)?authorization:[ \t]*([^\r\n]*)", re.IGNORECASE)
_PERCENT: Final = re.compile(rb"%[0-9A-Fa-f]{2}")
_QUOTED: Final = re.compile(rb"=(?:[0-9A-Fa-f]{2}|\r?\n)")  # RFC 2045 6.7
_BASE64_LINE: Final = re.compile(rb"(?m)^[A-Za-z0-9+/=]{8,}\r?$")


def masked_request(octets: bytes, *, password: str = "") -> bytes:
    """Mask a request of HTTP, XML or SOAP; `password` is the parsed password, if there is one.

    A SOAP request may give parameters by position, without names: then the value is searched for.
    """
    spans = [match.span(1) for match in _LOGIN.finditer(octets)]
    for view in _views(octets, _PERCENT):
        spans += view.spans(match.span(1) for match in _FIELD.finditer(view.octets))
        spans += view.spans(_elements(view.octets))
    return _masked(octets, [*spans, *_values(octets, password)] if password else spans)


def _values(octets: bytes, password: str) -> Iterator[Span]:
    """The spans at which the password is the text of an element, in UTF-8 or UTF-16."""
    for encoding, width in (("utf-8", 1), ("utf-16-le", 2), ("utf-16-be", 2)):
        value = f">{escaped(password).decode()}<".encode(encoding, "replace")
        found = [match.span() for match in re.finditer(re.escape(value), octets)]
        if found:
            yield from ((begin + width, end - width) for begin, end in found)
            return


def masked_lines(octets: bytes) -> bytes:
    """Mask lines of the form `name:value`."""
    return _masked(octets, [match.span(1) for match in _LINE.finditer(octets)])


def masked_mail(octets: bytes) -> bytes:
    """Mask a mail of lines `name:value`, in any transfer encoding (RFC 2045 6)."""
    mail = message_from_bytes(octets)
    spans: list[Span] = []
    is_quoted = b"quoted-printable" in octets.lower()
    for view in _views(octets, _QUOTED if is_quoted else None):
        spans += view.spans(match.span(1) for match in _LINE.finditer(view.octets))
    if mail.is_multipart():  # the gateway refuses it, so every base64 line may be masked
        spans += [match.span() for match in _BASE64_LINE.finditer(octets)]
    elif str(mail.get("Content-Transfer-Encoding", "")).strip().lower() == "base64":
        return _masked_base64(_masked(octets, spans), mail.get_payload(decode=True))
    return _masked(octets, spans)


def _masked_base64(octets: bytes, content: object) -> bytes:
    end = b"\r\n" if b"\r\n" in octets else b"\n"
    head, blank, body = octets.partition(end * 2)
    width = len(body.partition(end)[0]) or 76
    text = base64.b64encode(masked_lines(content if isinstance(content, bytes) else b""))
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    return head + blank + end.join(lines) + (end if body.endswith(end) else b"")


class _View:
    """Octets after unescaping, with the position of each octet in the original."""

    def __init__(self, octets: bytes, escape: re.Pattern[bytes] | None) -> None:
        pieces: list[bytes] = []
        self._places: list[int] = []  # positions in the view, ascending
        self._sources: list[int] = []  # the same positions in the original
        length = at = 0
        for match in escape.finditer(octets) if escape else ():
            digits = match[0][1:].strip()
            literal = octets[at : match.start()]
            undone = bytes.fromhex(digits.decode("ascii")) if digits else b""
            self._places += [length, length + len(literal)]
            self._sources += [at, match.start()]
            pieces += [literal, undone]
            length += len(literal) + len(undone)
            at = match.end()
        self._places.append(length)
        self._sources.append(at)
        self.octets = b"".join((*pieces, octets[at:])) if pieces else octets

    def spans(self, found: Iterable[Span]) -> Iterator[Span]:
        """Convert spans of the view into spans of the original octets."""
        return ((self._source(begin), self._source(end)) for begin, end in found)

    def _source(self, place: int) -> int:
        at = bisect_right(self._places, place) - 1
        return self._sources[at] + place - self._places[at]


def _views(octets: bytes, escape: re.Pattern[bytes] | None) -> Iterator[_View]:
    yield _View(octets, None)
    if escape is not None and escape.search(octets):
        yield _View(octets, escape)


def _elements(octets: bytes) -> Iterator[Span]:
    """The span of the content of each `password` element; to the end if it is not closed."""
    at = 0
    while opened := _OPEN.search(octets, at):
        closed = _CLOSE.search(octets, opened.end())
        at = closed.end() if closed else len(octets)
        yield opened.end(), closed.start() if closed else at


def _masked(octets: bytes, spans: list[Span]) -> bytes:
    if not spans:
        return octets
    hidden = bytearray(octets)
    for begin, end in spans:
        hidden[begin:end] = b"*" * (end - begin)
    return bytes(hidden)
