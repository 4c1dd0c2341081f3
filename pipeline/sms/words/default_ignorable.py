"""Invisible characters: those with Unicode's property Default_Ignorable_Code_Point.

They are zero width blanks and joiners, bidi marks, the soft hyphen, variation selectors, tags, the
Hangul fillers and the combining grapheme joiner. Python's `unicodedata` does not have the property.
"""

from __future__ import annotations

import re
from typing import Final

#: DerivedCoreProperties.txt of Unicode 17.0 (UAX #44), as first and last code point. The ranges are
#: the same in every version since 6.3.
RANGES: Final = (
    (0x00AD, 0x00AD),
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)

_IGNORABLE: Final = re.compile(
    "[" + "".join(f"{chr(first)}-{chr(last)}" for first, last in RANGES) + "]+"
)


def without_ignorable(text: str) -> str:
    """`text` without its invisible characters."""
    return _IGNORABLE.sub("", text)


def is_ignorable(character: str) -> bool:
    """Whether one character is invisible in this sense."""
    return _IGNORABLE.match(character) is not None
