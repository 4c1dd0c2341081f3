"""A handset's text as pieces that a page can show: nothing in the text affects the page.

The template escapes markup. What is left are characters that are invisible, or that change how
their neighbours look: controls, directional overrides (UAX #9 2), halves of a surrogate pair. Each
becomes a piece of its own, with a name to show.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final, NamedTuple

LONGEST_OPEN: Final = 1_200  # characters shown before the rest is folded away

_SHOWN_AS_THEY_ARE: Final = "\n\t"
_CONTROLS: Final = (  # ISO 646
    "NUL", "SOH", "STX", "ETX", "EOT", "ENQ", "ACK", "BEL",
    "BS", "HT", "LF", "VT", "FF", "CR", "SO", "SI",
    "DLE", "DC1", "DC2", "DC3", "DC4", "NAK", "SYN", "ETB",
    "CAN", "EM", "SUB", "ESC", "FS", "GS", "RS", "US",
)  # fmt: skip
_NAMES: Final = {
    "\u202a": "LRE", "\u202b": "RLE", "\u202c": "PDF", "\u202d": "LRO", "\u202e": "RLO",
    "\u2066": "LRI", "\u2067": "RLI", "\u2068": "FSI", "\u2069": "PDI",
    "\u200b": "ZWSP", "\u2060": "WJ", "\ufeff": "BOM", "\u00ad": "SHY",
    "\u2028": "LS", "\u2029": "PS",
    "\ufff9": "IAA", "\ufffa": "IAS", "\ufffb": "IAT",
}  # fmt: skip
# Marks that only help a neighbour (LRM, RLM, ALM) and joiners of emoji and Arabic stay as they are.
_ODD: Final = re.compile(
    "([\0-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\U000e0000-\U000e0fff"
    + "".join(_NAMES)
    + "])"
)


class Piece(NamedTuple):
    """`is_odd` pieces hold the name of one character that is not shown."""

    text: str
    is_odd: bool


def pieces_from_text(text: str) -> list[Piece]:
    """The text, cut at each character that is shown by its name."""
    found = _ODD.split(text)
    return [
        Piece(_name(part) if index % 2 else part, bool(index % 2))
        for index, part in enumerate(found)
        if part
    ]


def fold_long(text: str) -> tuple[str, str]:
    """The part that is shown at once, and the rest; never cut inside a common cluster."""
    if len(text) <= LONGEST_OPEN:
        return text, ""
    cut = LONGEST_OPEN
    while cut > LONGEST_OPEN - 32 and _joins(text[cut - 1], text[cut]):
        cut -= 1
    return text[:cut], text[cut:]


def legible(text: str) -> str:
    """One string that is harmless in a terminal and in an attribute."""
    return "".join(
        f"[{piece.text}]" if piece.is_odd else piece.text for piece in pieces_from_text(text)
    )


def _joins(before: str, after: str) -> bool:
    is_joined = unicodedata.combining(after) > 0 or "\u200d" in (before, after)
    return is_joined or unicodedata.category(after) in {"Mn", "Me", "Sk"} or after == "\ufe0f"


def _name(character: str) -> str:
    code = ord(character)
    if code < len(_CONTROLS):
        return _CONTROLS[code]
    if code == 0x7F:
        return "DEL"
    return _NAMES.get(character, f"U+{code:04X}")
