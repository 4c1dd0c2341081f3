"""`multipart/form-data` (RFC 7578): the parts that have a name, with their octets unchanged.

This module finds the parts itself, because the parsers of the standard library are for mail and
change line ends. It looks at each part once, so the time is linear. It ignores parts beyond
`MOST_PARTS`.
"""

from __future__ import annotations

from email.message import Message
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

FORM_DATA: Final = "multipart/form-data"
MOST_PARTS: Final = 256
_LONGEST_HEADERS: Final = 4096  # octets of one part
_LONGEST_TYPE: Final = 512  # characters of the Content-Type
_LONGEST_BOUNDARY: Final = 70  # RFC 2046 5.1.1


def boundary_of(content_type: str) -> bytes | None:
    """The boundary in a Content-Type of form-data; None for another type or unusable boundary."""
    if not is_form_data(content_type) or len(content_type) > _LONGEST_TYPE:
        return None
    boundary = _parameter(content_type, "boundary", header="content-type")
    if boundary and len(boundary) <= _LONGEST_BOUNDARY and boundary.isascii():
        return boundary.encode()
    return None


def is_form_data(content_type: str) -> bool:
    """Whether a Content-Type is form-data, with a usable boundary or without one."""
    return content_type[:64].partition(";")[0].strip().lower() == FORM_DATA


def parts_from_octets(body: bytes, boundary: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The name and the octets of each part. A last part without a delimiter goes to the end."""
    delimiter = b"\r\n--" + boundary
    for piece in (b"\r\n" + body).split(delimiter, MOST_PARTS + 1)[1 : MOST_PARTS + 1]:
        if piece.startswith(b"--"):  # the end (RFC 2046 5.1.1)
            return
        blanks, found, rest = piece.partition(b"\r\n")
        if not found or blanks.strip(b" \t"):  # the line only begins with the boundary
            continue
        headers, _, octets = (b"\r\n" + rest).partition(b"\r\n\r\n")
        if len(headers) <= _LONGEST_HEADERS and (name := _name_of(headers)) is not None:
            yield name, octets


def _name_of(headers: bytes) -> bytes | None:
    for line in headers.split(b"\r\n"):
        header, _, value = line.partition(b":")
        if header.strip().lower() == b"content-disposition":
            text = value.strip().decode("latin-1")
            name = _parameter(text, "name", header="content-disposition")
            return None if name is None else name.encode("latin-1", "replace")
    return None


def _parameter(text: str, name: str, *, header: str) -> str | None:
    message = Message()
    message[header] = text
    found = message.get_param(name, header=header)
    return found if isinstance(found, str) else None
