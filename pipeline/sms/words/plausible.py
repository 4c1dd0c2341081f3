"""All the texts that octets may stand for, when their encoding is in doubt.

A caller asks whether one of the texts as a whole is a stop word. A text that is not a stop word
hardly ever becomes one by chance, because all its octets would have to fit.
"""

from __future__ import annotations

from html import unescape
from typing import Final
from urllib.parse import unquote_to_bytes

from pipeline.sms.gsm7.default import text_from_septets
from pipeline.sms.gsm7.packed import septets_from_packed

LONGEST_LOOKED_AT: Final = 200
"""Octets. For more octets, only the decodings that the codec library does in one pass are tried."""

_WIDE: Final = ("utf-16-be", "utf-16-le", "utf-32-be", "utf-32-le")
_HEX_DEPTH: Final = 2  # hex of hex: binary that was shown as hex, and that text sent as binary
_FILL_BITS: Final = range(7)
_MARK: Final = "\ufeff"


def plausible_texts(octets: bytes) -> tuple[str, ...]:
    """The texts of `octets` in each decoding that a gateway may have meant. Each text comes once.

    The decodings are ISO-8859-1, windows-1252, UTF-8, and UTF-16 and UTF-32 in both byte orders.
    An odd number of octets is also read as if one octet was added or lost at either end. Octets
    with NULs are also read without the NULs. Up to 200 octets are also read as UTF-7, as unpacked
    and packed GSM-7, and as text that was encoded twice: hex digits, percent-encoding or character
    references. A byte order mark is not part of the text.
    """
    return tuple(_texts(octets, _HEX_DEPTH))


def _texts(octets: bytes, depth: int) -> dict[str, None]:
    """The texts as the keys of a dictionary, which keeps each text once, in the order found."""
    found: dict[str, None] = {}
    for text in _by_codec(octets):
        found[text.removeprefix(_MARK)] = None
    if len(octets) > LONGEST_LOOKED_AT:
        return found
    for text in _by_septets(octets):
        found[text] = None
    if b"&#" in octets:
        found[unescape(octets.decode("latin-1"))] = None
    nested = _from_encoded(octets) if depth else b""
    if nested:
        found.update(_texts(nested, depth - 1))
    return found


def _by_codec(octets: bytes) -> list[str]:
    texts = [octets.decode("latin-1"), octets.decode("cp1252", "replace")]
    if b"\0" in octets:
        texts.append(octets.replace(b"\0", b"").decode("latin-1"))
    codecs = ["utf-8"]
    if b"+" in octets and len(octets) <= LONGEST_LOOKED_AT:
        codecs.append("utf-7")
    candidates = [octets]
    if len(octets) % 2:
        candidates += [octets[:-1], octets[1:], octets + b"\0", b"\0" + octets]
    for candidate in candidates:
        for codec in (*codecs, *_codecs_of_units(candidate)):
            text = _strictly(candidate, codec)
            if text:
                texts.append(text)
    return texts


def _codecs_of_units(octets: bytes) -> tuple[str, ...]:
    """UTF-16 and UTF-32, where the octets are whole units; the first of a unit of UTF-32 is 0."""
    if len(octets) % 2:
        return ()
    return _WIDE if len(octets) % 4 == 0 and b"\0" in octets else _WIDE[:2]


def _strictly(octets: bytes, codec: str) -> str:
    """The text; empty when the octets are not valid in this codec."""
    try:
        return octets.decode(codec)
    except UnicodeDecodeError:
        return ""


def _by_septets(octets: bytes) -> list[str]:
    if not octets:
        return []
    texts = [text_from_septets(octets)[0]] if max(octets) <= 0x7F else []
    for fill_bits in _FILL_BITS:
        septets = septets_from_packed(octets, fill_bits=fill_bits)
        texts.append(text_from_septets(septets)[0])
        if septets[-1:] == b"\0":  # the bits left over are `@`, or nothing
            texts.append(text_from_septets(septets.rstrip(b"\0"))[0])
    return texts


def _from_encoded(octets: bytes) -> bytes:
    """The octets inside a percent-encoding or hex; empty when `octets` are neither."""
    if b"%" in octets:
        plain = unquote_to_bytes(octets)
        return plain if plain != octets else b""
    return _from_hex(octets)


def _from_hex(octets: bytes) -> bytes:
    """The octets of ASCII hex digits, without a prefix 0x; empty when `octets` are not hex."""
    digits = octets.replace(b"\0", b"").strip().removeprefix(b"0x")
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        return b""
