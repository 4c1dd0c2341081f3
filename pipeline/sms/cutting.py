"""A text cut into the parts of a concatenated message (3GPP TS 23.040 9.2.3.24.1)."""

from __future__ import annotations

from pipeline.sms.gsm7.default import septets_of
from pipeline.sms.segmentation import GSM7, PART, SINGLE


def cut(text: str, encoding: str) -> list[str]:
    """The text of each part, at least one; GSM7 must hold every character of it.

    An escape and its septet, or a surrogate pair, are never cut.
    """
    units = [_units(character, encoding) for character in text]
    if sum(units) <= SINGLE[encoding]:
        return [text]
    limit = PART[encoding]
    parts: list[str] = []
    begin = used = 0
    for at, size in enumerate(units):
        if used + size > limit:
            parts.append(text[begin:at])
            begin, used = at, 0
        used += size
    parts.append(text[begin:])
    return parts


def _units(character: str, encoding: str) -> int:
    """Septets, or code units of UTF-16."""
    return septets_of(character) if encoding == GSM7 else 1 + (ord(character) > 0xFFFF)
