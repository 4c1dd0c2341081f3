"""Whether octets look like another coding than the one they were said to be in.

Short octets look like much by chance: of ordinary answers of one or two characters in Chinese or
Japanese a third are ASCII octets, and so many accented words are letters when read as packed
septets. What is short is doubted only where the other reading is a word that may be a stop, or
words as people write them (deploy/decisions/0110).
"""

from __future__ import annotations

import re
from typing import Final

from pipeline.sms.gsm7.packed import septets_from_packed
from pipeline.sms.words.folding import fold_text
from pipeline.sms.words.stopwords import folded_has_stop_word
from pipeline.sms.words.stopwords_wide import may_be_a_stop

CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f]")  # no text has them; UTF-16 and binary do
_SHORT: Final = 16  # octets: eight characters of UTF-16, or 18 packed letters
_SHORT_PACKED: Final = 7  # letters: so many are letters by chance twice in a thousand (52/128)
_SHORTEST_WORDS: Final = 4  # octets; one character alone tells nothing
_SHORTEST_SWAPPED: Final = 4  # octets; one character alone tells no order
_WORDS: Final = re.compile(
    "(?:[A-Z]?[a-z]+|[A-Z]+|[0-9]+)(?:[ .,!?']+(?:[A-Z]?[a-z]+|[A-Z]+|[0-9]+))*[ .,!?]*"
)


def is_swapped(octets: bytes) -> bool:
    """Whether octets called UTF-16BE look like little endian.

    Characters of one alphabet have the same small octet, which is then the second one.
    """
    if len(octets) < _SHORTEST_SWAPPED or octets[1] >= 0x20:
        return False
    seconds = octets[1::2]
    return not seconds.strip(seconds[:1]) and bool(octets[::2].strip(octets[:1]))


def is_ascii(octets: bytes) -> bool:
    """Whether octets called UTF-16BE look like text of ASCII."""
    if not octets.isascii():
        return False
    text = octets.decode("ascii")
    if CONTROL.search(text) is not None:
        return False
    if len(octets) > _SHORT:
        return True
    words = len(octets) >= _SHORTEST_WORDS and _WORDS.fullmatch(text) is not None
    return words or _may_say_stop(text)


def is_packed(octets: bytes) -> bool:
    """Whether short octets, unpacked, are letters of ASCII with nothing but fill after them."""
    if len(octets) > _SHORT:
        return False
    letters = septets_from_packed(octets).rstrip(b"\0\r")
    if not letters.isalpha():
        return False
    return len(letters) > _SHORT_PACKED or _may_say_stop(letters.decode("ascii"))


def _may_say_stop(text: str) -> bool:
    """Whether it has a stop word of the guide, or may be one elsewhere."""
    folded = fold_text(text)
    return folded_has_stop_word(folded) or may_be_a_stop(folded)
