"""The GSM 7 bit default alphabet (3GPP TS 23.038 6.2.1) and its extension table (6.2.1.1).

Octets here are unpacked, one septet each, as `data_coding` 0 carries them over SMPP. Reading takes
national language tables in their place; writing does not use them.
"""

from __future__ import annotations

from codecs import charmap_decode
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ESCAPE: Final = 0x1B
REPLACEMENT: Final = "\ufffd"

# 3GPP TS 23.038 6.2.1, read down the columns of its table; 0x1B is the escape.
BASIC: Final = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)
# 3GPP TS 23.038 6.2.1.1: each takes the escape and one more septet.
EXTENSION: Final = {
    0x0A: "\f",
    0x14: "^",
    0x28: "{",
    0x29: "}",
    0x2F: "\\",
    0x3C: "[",
    0x3D: "~",
    0x3E: "]",
    0x40: "|",
    0x65: "€",
}

_OCTETS_FROM_CHARACTER: Final = {
    **{character: bytes([code]) for code, character in enumerate(BASIC) if code != ESCAPE},
    **{character: bytes([ESCAPE, code]) for code, character in EXTENSION.items()},
}


def septets_of(character: str) -> int:
    """How many septets `character` takes: 1, 2 (extension), or 0 when the alphabet lacks it."""
    return len(_OCTETS_FROM_CHARACTER.get(character, b""))


def septets_from_text(text: str) -> bytes | None:
    """The septets of `text`, one an octet; None when a character is not in the alphabet."""
    try:
        return b"".join(map(_OCTETS_FROM_CHARACTER.__getitem__, text))
    except KeyError:
        return None


def text_from_septets(
    octets: bytes, locking: Sequence[str] = BASIC, single: Mapping[int, str] = EXTENSION
) -> tuple[str, bool]:
    """The text of unpacked septets by two tables, and whether reading it lost something.

    An escape before a septet the single shift table lacks shows that septet's locking character; a
    second escape is reserved and shows as a blank (6.2.1.1, notes 1 and 3). Both lose, as do an
    escape at the end (shown as a blank), an empty place of a national table and an octet over 0x7F
    (U+FFFD): no octet vanishes.
    """
    if locking is BASIC and ESCAPE not in octets and octets.isascii():
        return charmap_decode(octets, "strict", BASIC)[0], False  # in C: a place for each octet
    characters: list[str] = []
    lossy = escaped = False
    for octet in octets:
        if octet > 0x7F:
            characters.append(" " + REPLACEMENT if escaped else REPLACEMENT)
            lossy, escaped = True, False
        elif escaped:
            character = single.get(octet)
            lossy = lossy or character is None
            shown = " " if octet == ESCAPE else locking[octet] or REPLACEMENT
            characters.append(character or shown)
            escaped = False
        elif octet == ESCAPE:
            escaped = True
        else:
            lossy = lossy or not locking[octet]
            characters.append(locking[octet] or REPLACEMENT)
    if escaped:
        characters.append(" ")
    return "".join(characters), lossy or escaped
