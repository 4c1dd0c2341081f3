"""Encodes a handset's message in a charset, and cuts a long one into parts with a UDH."""

from __future__ import annotations

import secrets
from typing import Final, NamedTuple

from pipeline.sms.cutting import cut
from pipeline.sms.gsm7.default import septets_from_text
from pipeline.sms.segmentation import GSM7, UCS2

LATIN: Final = "ISO-8859-1"
UTF_16: Final = "UTF-16BE"
BINARY: Final = "8-BIT"
_BINARY_OCTETS: Final = 134  # in a part with a UDH


class Part(NamedTuple):
    """One part; `udh` is hex, empty for a message of one part."""

    octets: bytes
    charset: str
    udh: str
    mo_msg_id: str


def parts_of(text: str, charset: str | None = None) -> list[Part]:
    """Cut a text into the parts that the gateway hands over (guide 8.3); raises `ValueError`.

    The default charset is ISO-8859-1 if both GSM 7 bit and ISO-8859-1 have every character, else
    UTF-16BE. For 8-BIT the text is hex.
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
    """The UDH in hex: 050003, reference, total, number (guide 8.3); empty for one part."""
    return f"050003{reference:02x}{total:02x}{number:02x}" if total > 1 else ""
