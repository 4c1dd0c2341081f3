"""A handset's message: its text in a charset, in parts with a header if it is long."""

from __future__ import annotations

import secrets
from typing import Final, NamedTuple

from pipeline.sms.cutting import cut
from pipeline.sms.gsm7.default import septets_from_text
from pipeline.sms.segmentation import GSM7, UCS2

LATIN: Final = "ISO-8859-1"
UTF_16: Final = "UTF-16BE"
BINARY: Final = "8-BIT"
_BINARY_OCTETS: Final = 134  # of a part with a header


class Part(NamedTuple):
    """One part; `udh` is hex, empty for a message that is whole."""

    octets: bytes
    charset: str
    udh: str
    mo_msg_id: str


def parts_of(text: str, charset: str | None = None) -> list[Part]:
    """The parts as the gateway hands them over (guide 8.3); raises `ValueError`.

    Without a charset: ISO-8859-1 where GSM 7 bit and ISO-8859-1 both hold the text, else UTF-16BE.
    For 8-BIT the text is hex.
    """
    charset = charset or _charset_of(text)
    if charset == BINARY:
        octets = bytes.fromhex(text)
        pieces = [octets[at : at + _BINARY_OCTETS] for at in range(0, len(octets), _BINARY_OCTETS)]
        pieces = pieces or [b""]
    else:
        is_gsm = septets_from_text(text) is not None and charset != UTF_16
        pieces = [each.encode(charset) for each in cut(text, GSM7 if is_gsm else UCS2)]
    reference = secrets.randbelow(256)
    return [
        Part(piece, charset, _udh(reference, len(pieces), number), secrets.token_hex(16))
        for number, piece in enumerate(pieces, 1)
    ]


def _charset_of(text: str) -> str:
    if septets_from_text(text) is None:
        return UTF_16
    return LATIN if all(ord(character) <= 0xFF for character in text) else UTF_16


def _udh(reference: int, total: int, number: int) -> str:
    """Guide 8.3: 050003 and reference, total, number."""
    return f"050003{reference:02x}{total:02x}{number:02x}" if total > 1 else ""
