"""Shows the octets of an exchange as lines of text, or as hex and ASCII, sixteen in a line."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

MOST_SHOWN: Final = 16_384  # octets of one direction on the page; a download has all
MOST_FIELDS: Final = 200
_WIDTH: Final = 16
_FORM: Final = re.compile(rb"[\w.%+-]+=[^\s<>\x00-\x20]*")  # a query or form alone
_TEXT_CONTROLS: Final = frozenset(b"\t\r\n")


class HexLine(NamedTuple):
    """The offset of the line, its octets as hex, and as ASCII with a dot for unprintable octets."""

    offset: str
    digits: str
    ascii: str


def is_text(octets: bytes) -> bool:
    """Whether octets are UTF-8 with no control characters but tab, CR and LF."""
    shown = octets[:MOST_SHOWN]
    if any(octet < 0x20 and octet not in _TEXT_CONTROLS for octet in shown):
        return False
    try:
        shown.decode()
    except UnicodeDecodeError as error:
        return len(octets) > MOST_SHOWN and error.start > MOST_SHOWN - 4
    return True


def hex_lines(octets: bytes) -> list[HexLine]:
    """The lines of a hex dump, in the form of `hexdump -C`."""
    lines = []
    for start in range(0, min(len(octets), MOST_SHOWN), _WIDTH):
        line = octets[start : start + _WIDTH]
        digits = f"{line[:8].hex(' ')}  {line[8:].hex(' ')}".rstrip()
        spelled = "".join(chr(octet) if 0x20 <= octet < 0x7F else "." for octet in line)
        lines.append(HexLine(f"{start:06x}", digits, spelled))
    return lines


def lines_of_text(octets: bytes) -> list[str]:
    """The lines of a text without line ends; an octet that is not UTF-8 is shown as `\\xff`."""
    text = octets[:MOST_SHOWN].decode("utf-8", "backslashreplace")
    return text.replace("\r\n", "\n").split("\n")


def fields_of(octets: bytes) -> list[tuple[str, str]]:
    """The fields of a form, or of the query and form of an HTTP request, decoded as UTF-8."""
    head, _, body = octets[:MOST_SHOWN].partition(b"\r\n\r\n")
    first, _, headers = head.partition(b"\r\n")
    words = first.split(b" ")
    if _FORM.fullmatch(octets[:MOST_SHOWN]):
        forms = [octets[:MOST_SHOWN]]
    elif len(words) != 3 or not words[2].startswith(b"HTTP/1"):
        return []
    else:
        forms = [words[1].partition(b"?")[2]]
    if b"x-www-form-urlencoded" in headers.lower():
        forms.append(body)
    return [
        field
        for form in forms
        for field in parse_qsl(form.decode("utf-8", "replace"), keep_blank_values=True)
    ][:MOST_FIELDS]
