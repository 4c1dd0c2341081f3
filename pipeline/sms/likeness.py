"""Whether octets look like another coding than the one that their charset names.

Short octets often look like another coding by chance. A third of the common answers of one or two
characters in Chinese or Japanese consist of ASCII octets. About as many short words with accents
are letters when they are read as packed septets. So short octets count as another coding only when
the other reading may be a stop, or is words as people write them (deploy/decisions/0110).
"""

from __future__ import annotations

import re
from typing import Final

from pipeline.sms.gsm7.packed import septets_from_packed
from pipeline.sms.words.folding import fold_text
from pipeline.sms.words.stopwords import folded_has_stop_word
from pipeline.sms.words.stopwords_wide import may_be_a_stop

CONTROL: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f]")  # not in text, but in UTF-16 and binary
_SHORT: Final = 16  # octets: eight characters of UTF-16, or 18 packed letters
_SHORT_PACKED: Final = 7  # septets; all seven are letters by chance 2 times in 1,000 (52/128 each)
_SHORTEST_WORDS: Final = 4  # octets; one character alone proves nothing
_SHORTEST_SWAPPED: Final = 4  # octets; one character alone does not show the byte order
_WORDS: Final = re.compile(
    "(?:[A-Z]?[a-z]+|[A-Z]+|[0-9]+)(?:[ .,!?']+(?:[A-Z]?[a-z]+|[A-Z]+|[0-9]+))*[ .,!?]*"
)


def is_swapped(octets: bytes) -> bool:
    """Whether octets labelled UTF-16BE look like little endian.

    The characters of one alphabet share one small octet. In little endian it comes second.
    """
    if len(octets) < _SHORTEST_SWAPPED or octets[1] >= 0x20:
        return False
    seconds = octets[1::2]
    return not seconds.strip(seconds[:1]) and bool(octets[::2].strip(octets[:1]))


def is_ascii(octets: bytes) -> bool:
    """Whether octets labelled UTF-16BE look like ASCII text.

    Octets up to 16 look so only when they are words, or may be a stop.
    """
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
    """Whether octets up to 16, unpacked, are ASCII letters with only fill after them.

    Up to seven letters count only when they may be a stop.
    """
    if len(octets) > _SHORT:
        return False
    letters = septets_from_packed(octets).rstrip(b"\0\r")
    if not letters.isalpha():
        return False
    return len(letters) > _SHORT_PACKED or _may_say_stop(letters.decode("ascii"))


def _may_say_stop(text: str) -> bool:
    """Whether the text contains a stop word of the guide, or may be a stop in another language."""
    folded = fold_text(text)
    return folded_has_stop_word(folded) or may_be_a_stop(folded)
