"""How many SMS a text needs (3GPP TS 23.038, 23.040 9.2.3.24.1)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from pipeline.sms.gsm7.default import BASIC, ESCAPE, EXTENSION, septets_of

GSM7: Final = "gsm7"
UCS2: Final = "ucs2"

# An SMS has 140 octets of user data (23.040 9.2.3.24). In a concatenated message a header takes 6
# octets, which leaves 134.
SINGLE: Final = {GSM7: 160, UCS2: 70}
PART: Final = {GSM7: 153, UCS2: 67}

_LONGEST_CACHED: Final = 1024  # characters: more than the longest MT of three parts

_BASIC_CLASS: Final = "".join(re.escape(c) for code, c in enumerate(BASIC) if code != ESCAPE)
_EXTENSION_CLASS: Final = "".join(map(re.escape, EXTENSION.values()))
_IN_GSM7: Final = re.compile(f"[{_BASIC_CLASS}{_EXTENSION_CLASS}]*")
_EXTENDED: Final = re.compile(f"[{_EXTENSION_CLASS}]")


class Segmentation(NamedTuple):
    """How a text goes into SMS: `encoding` (gsm7 or ucs2), `units`, and `parts` (1 or more).

    `units` counts septets for gsm7 and UTF-16 code units for ucs2.
    """

    encoding: str
    units: int
    parts: int


def segment(text: str) -> Segmentation:
    """The shortest encoding that can hold the whole text, with its units and parts."""
    return _cached(text) if len(text) <= _LONGEST_CACHED else _segment(text)


def segment_in(text: str, encoding: str) -> Segmentation:
    """What the text takes in one of the two encodings; GSM7 must hold every character of it."""
    if encoding == GSM7:
        units = len(text) + len(_EXTENDED.findall(text))
    else:
        units = len(text.encode("utf-16-be", "surrogatepass")) // 2
    if units <= SINGLE[encoding]:
        return Segmentation(encoding, units, 1)
    return Segmentation(encoding, units, _count_parts(text, encoding))


def _segment(text: str) -> Segmentation:
    return segment_in(text, GSM7 if _IN_GSM7.fullmatch(text) else UCS2)


# The gate asks, then the command; and applications repeat themselves.
_cached: Final = lru_cache(maxsize=256)(_segment)


def _count_parts(text: str, encoding: str) -> int:
    """The number of parts of a concatenated message.

    No part ends inside an escape sequence or a surrogate pair.
    """
    limit = PART[encoding]
    parts = 1
    used = 0
    for character in text:
        size = septets_of(character) if encoding == GSM7 else 1 + (ord(character) > 0xFFFF)
        if used + size > limit:
            parts += 1
            used = 0
        used += size
    return parts
