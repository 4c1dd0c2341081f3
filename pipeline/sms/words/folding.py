"""Fold a text for comparison: equivalent spellings become equal, invisible characters are dropped.

The time is linear in the length of the text. NFKC alone is not linear: it sorts each run of
combining marks by insertion, and it turns one U+FDFA into 18 characters.
"""

from __future__ import annotations

import re
import string
import unicodedata
from functools import lru_cache
from typing import Final

from pipeline.sms.words.default_ignorable import without_ignorable

LONGEST_COMMAND: Final = 160
"""Characters, without the blanks and punctuation around the text. A longer text is not a command.

This is the length of one SMS (3GPP TS 23.040 9.2.3.24). The longest stop word together with the
longest keyword is well below it.
"""
_MOST_MARKS: Final = 30  # per letter (UAX #15 13, Stream-Safe Text Format); more are dropped
# Each of these two characters is a phrase. NFKC makes at most 6 characters of any other character.
_EXPANDING: Final = {0xFDFA: " ", 0xFDFB: " "}
_ASCII_WORD: Final = re.compile(r"[a-z0-9]+")
_ASCII_PUNCTUATION: Final = frozenset(string.punctuation)


def fold_text(text: str) -> str:
    """`text` in lower case for comparison. The letter i with and without a dot becomes the same."""
    if text.isascii():
        return text.lower()
    return spelling_of(text).replace("i\u0307", "i").replace("\u0131", "i")


def spelling_of(text: str) -> str:
    """`text` after NFKC and case folding, without invisible characters."""
    if text.isascii():
        return text.lower()
    seen = without_ignorable(text)
    if len(seen) > LONGEST_COMMAND:
        seen = _stream_safe(seen)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", seen).casefold())


def _stream_safe(text: str) -> str:
    """`text` changed so that NFKC takes linear time.

    Combining marks over 30 in a row are dropped. The characters that NFKC makes very long are
    replaced by blanks.
    """
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
    """The words of `folded`.

    With `keep_symbols`, only blanks and punctuation separate words. Without it, every character
    except a letter, a digit or a combining mark separates words. An ASCII text is cut at every
    character that is not a letter or a digit.
    """
    if folded.isascii():
        return tuple(_ASCII_WORD.findall(folded))
    if keep_symbols:
        marked = "".join([" " if _is_blank_or_punctuation(c) else c for c in folded])
    else:
        marked = "".join([c if _is_of_a_word(c) else " " for c in folded])
    return tuple(marked.split())


def split_command(folded: str) -> tuple[str, ...]:
    """The words of a text that as a whole may be a command; no words when the text is too long."""
    if len(folded) > LONGEST_COMMAND:
        folded = trimmed(folded)
        if len(folded) > LONGEST_COMMAND:
            return ()
    return split(folded, keep_symbols=True)
