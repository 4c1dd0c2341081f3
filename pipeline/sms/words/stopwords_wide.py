"""Whether a text may be a stop though it is none of the words that count. A person should read it.

Such a text is a stop word of any language, contains a request such as "leave me alone", or looks
like a stop word because it has letters of another alphabet (UTS #39) or digits in it.
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
LONGEST_WORD: Final = 16  # characters; a longer text is none of the words
_LOST: Final = "\ufffd"
_FEWEST_KNOWN: Final = 2  # characters that must be left of a word when the others were lost
_ANY_WORD: Final = tuple(fold_text(word) for word in (*STOP_WORDS, "STOPALL", "STOP ALL", *WIDE))
_AROUND: Final = string.whitespace + string.punctuation

#: Case-folded characters that look like the Latin letter, or that people type for it. They are
#: digits, and the Cyrillic, Greek, Armenian, Cherokee and small capital letters of Unicode's
#: confusables.txt. Letters that only sound alike are here too: a person who types STOP on a
#: Cyrillic keyboard uses either kind.
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
    """Whether a text with lost characters (U+FFFD) may be a stop word.

    At least two characters, and at least half of them, must be left, and these must fit the word.
    """
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


@lru_cache(maxsize=4096)  # many people send the same short answers
def _is_a_word_elsewhere(folded: str) -> bool:
    if _WIDE.named_by(folded):
        return True
    return _ALIKE.fullmatch(trimmed(folded)) is not None
