"""What may be a stop though it is none of the words that count: for somebody to read.

The words of every language, requests such as "leave me alone", and a word that is a stop word to
the eye: with letters of another alphabet (UTS #39) or digits in it.
"""

from __future__ import annotations

import re
import string
from functools import lru_cache
from typing import Final

from pipeline.sms.words.folding import fold_text, trimmed
from pipeline.sms.words.stopword_sets import STOP_REQUESTS, WIDE
from pipeline.sms.words.stopwords import STOP_WORDS, Phrases

_WIDE: Final = Phrases(WIDE)
_REQUESTS: Final = Phrases(STOP_REQUESTS)
LONGEST_WORD: Final = 16  # characters: beyond, a text is none of the words
_LOST: Final = "\ufffd"
_FEWEST_KNOWN: Final = 2  # characters of a word whose others were lost
_ANY_WORD: Final = tuple(fold_text(word) for word in (*STOP_WORDS, "STOPALL", "STOP ALL", *WIDE))
_AROUND: Final = string.whitespace + string.punctuation

#: Case-folded letters that look like these, or are typed for them: Cyrillic, Greek, Armenian,
#: Cherokee and small capitals among Unicode's confusables.txt, and digits. Letters that sound alike
#: are there, too, for who types STOP on a Cyrillic keyboard types either.
_LOOKALIKES: Final = {
    "a": "аαɑ",
    "b": "вбβƅ6",
    "c": "сϲᴄ",
    "d": "ԁд",
    "e": "еεєҽ3",
    "i": "іɩιι1lӏ|!",
    "l": "ӏ1i|л",
    "n": "пηոνн",
    "o": "оοօσο0",
    "p": "рρпπ",
    "q": "ԛգ",
    "r": "гᴦр",
    "s": "ѕꜱсσς5$",
    "t": "тτᴛ7",
    "u": "υսцυу",
}


def _spelt(word: str) -> str:
    return "".join(f"[{re.escape(c + _LOOKALIKES.get(c, ''))}]" for c in word)


_ALIKE: Final = re.compile("|".join(_spelt(word.lower()) for word in (*STOP_WORDS, "STOPALL")))


def may_be_a_stop(folded: str) -> bool:
    """Whether a folded text that is no stop message may be meant as one."""
    if _REQUESTS.stand_in(folded):
        return True
    if len(folded) > LONGEST_WORD:
        folded = folded.strip(_AROUND) if folded.isascii() else trimmed(folded)
        if len(folded) > LONGEST_WORD:
            return False
    return _is_a_word_elsewhere(folded)


def is_a_stop_with_losses(text: str) -> bool:
    """Whether it is a word that may be a stop but for characters that were lost, few of them."""
    if _LOST not in text or len(text) > LONGEST_WORD:
        return False
    folded = trimmed(fold_text(text))
    known = len(folded) - folded.count(_LOST)
    if known < _FEWEST_KNOWN or known * 2 < len(folded):
        return False
    return any(
        len(word) == len(folded)
        and all(at in (_LOST, letter) for at, letter in zip(folded, word, strict=True))
        for word in _ANY_WORD
    )


@lru_cache(maxsize=4096)  # short answers come again and again
def _is_a_word_elsewhere(folded: str) -> bool:
    if _WIDE.named_by(folded):
        return True
    return _ALIKE.fullmatch(trimmed(folded)) is not None
