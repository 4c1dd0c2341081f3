"""The GSM 7 bit default alphabet (3GPP TS 23.038 6.2.1) and its extension table (6.2.1.1).

Octets here are unpacked: each octet holds one septet, as `data_coding` 0 carries them over SMPP.
Reading can use national language tables instead of these two. Writing never uses those.
"""

from __future__ import annotations

from codecs import charmap_decode
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ESCAPE: Final = 0x1B
REPLACEMENT: Final = "\ufffd"

# 3GPP TS 23.038 6.2.1, in the order of its columns, from top to bottom; 0x1B is the escape.
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
# 3GPP TS 23.038 6.2.1.1: each character takes the escape and one more septet.
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
    """How many septets `character` takes: 1, 2 (extension), or 0 if it is not in the alphabet."""
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
    """The text of unpacked septets by two tables, and whether the reading lost something.

    These readings lose something, but every octet leaves a trace in the text:

    - an escape before a septet that is not in the single shift table: the character of the locking
      table (6.2.1.1, note 1)
    - an escape after an escape, which is reserved: a blank (6.2.1.1, note 3)
    - an escape at the end: a blank
    - an empty place of a national table, or an octet over 0x7F: U+FFFD
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
