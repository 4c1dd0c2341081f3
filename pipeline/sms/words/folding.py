"""A text as it is compared: what looks or reads alike is the same, what nobody sees is not there.

The work is linear in the text. NFKC alone is not: it sorts every run of combining marks by
insertion, and makes 18 characters of one U+FDFA.
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache
from typing import Final

from pipeline.sms.words.default_ignorable import without_ignorable

LONGEST_COMMAND: Final = 160
"""Characters, blanks and punctuation around them left out: a longer text is no command as a whole.

One SMS (3GPP TS 23.040 9.2.3.24); the longest stop word with the longest keyword is well below.
"""
_MOST_MARKS: Final = 30  # of one letter (UAX #15 13, Stream-Safe Text Format); the rest is dropped
_EXPANDING: Final = {0xFDFA: " ", 0xFDFB: " "}  # phrases in one character; no other makes over 6
_ASCII_WORD: Final = re.compile(r"[a-z0-9]+")
_ASCII_PUNCTUATION: Final = frozenset(string.punctuation)


def fold_text(text: str) -> str:
    """`text` in lower case, for comparing: i with a dot and without one are the same."""
    if text.isascii():
        return text.lower()
    return spelling_of(text).replace("i\u0307", "i").replace("\u0131", "i")


def spelling_of(text: str) -> str:
    """`text` after NFKC and case folding, without what cannot be seen."""
    if text.isascii():
        return text.lower()
    seen = without_ignorable(text)
    if len(seen) > LONGEST_COMMAND:
        seen = _stream_safe(seen)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())


def _stream_safe(text: str) -> str:
    """`text` so that NFKC takes linear time: few marks in a row, nothing that grows much."""
    kept: list[str] = []
    run = 0
    for character in text.translate(_EXPANDING):
        run = run + 1 if unicodedata.combining(character) else 0
        if run <= _MOST_MARKS:
            kept.append(character)
    return "".join(kept)


@lru_cache(maxsize=4096)
def _is_blank_or_punctuation(character: str) -> bool:
    return (
        character.isspace()
        or character in _ASCII_PUNCTUATION
        or unicodedata.category(character)[0] in "PZC"
    )


@lru_cache(maxsize=4096)
def _is_of_a_word(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character)[0] == "M"


def trimmed(folded: str) -> str:
    """`folded` without the blanks and the punctuation around it."""
    first, end = 0, len(folded)
    while first < end and _is_blank_or_punctuation(folded[first]):
        first += 1
    while end > first and _is_blank_or_punctuation(folded[end - 1]):
        end -= 1
    return folded[first:end]


def split(folded: str, *, keep_symbols: bool) -> tuple[str, ...]:
    """What stands between blanks and punctuation, or between all that is no letter or digit."""
    if folded.isascii():
        return tuple(_ASCII_WORD.findall(folded))
    if keep_symbols:
        marked = "".join([" " if _is_blank_or_punctuation(c) else c for c in folded])
    else:
        marked = "".join([c if _is_of_a_word(c) else " " for c in folded])
    return tuple(marked.split())


def split_command(folded: str) -> tuple[str, ...]:
    """The words of a text that may be a command as a whole; none of one that is too long for it."""
    if len(folded) > LONGEST_COMMAND:
        folded = trimmed(folded)
        if len(folded) > LONGEST_COMMAND:
            return ()
    return split(folded, keep_symbols=True)
