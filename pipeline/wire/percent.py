"""Percent-encoding of octets, with `+` for a blank, as forms and the FTP log have it."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote_from_bytes

_DIGITS: Final = b"0123456789abcdefABCDEF"
_OCTET_FROM_HEX: Final = {
    bytes((high, low)): bytes((int(bytes((high, low)), 16),)) for high in _DIGITS for low in _DIGITS
}


def octets_from_percent(encoded: bytes) -> bytes | None:
    """The octets; None where a `%` is not followed by two hex digits. Anything else is itself."""
    encoded = encoded.replace(b"+", b" ")
    if b"%" not in encoded:
        return encoded
    plain, *escaped = encoded.split(b"%")
    try:
        return plain + b"".join([_OCTET_FROM_HEX[piece[:2]] + piece[2:] for piece in escaped])
    except KeyError:
        return None


def percent_from_octets(octets: bytes) -> bytes:
    """The form of `octets`: letters, digits and `-_.~` stay, a blank is `+`, the rest escaped."""
    return quote_from_bytes(octets, safe=" ").replace(" ", "+").encode("ascii")
