"""Stop words (G7.1.1): whether a text is one or contains one, by the rules of the gateway.

A text is folded by `folding` before the comparison. It *is* a phrase when only blanks and
punctuation stand around the phrase. It *contains* a phrase when the phrase stands in it as whole
words: no letter or digit touches it (a combining mark belongs to its letter).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.sms.words.folding import fold_text, spelling_of, split, split_command

if TYPE_CHECKING:
    from collections.abc import Iterable

STOP_WORDS: Final = ("STOP", "END", "CANCEL", "UNSUBSCRIBE", "QUIT")  # G7.1.1
STOP_ALL: Final = ("STOP ALL", "STOPALL", "STOP STOP")  # G7.1.1; STOPALL is what users write
HELP: Final = "HELP"  # G7.2.1
START_WORDS: Final = ("START", "UNSTOP", "YES")


def words_of(text: str) -> tuple[str, ...]:
    """The words of `text`, folded. Every character but letters and digits separates words."""
    return split(spelling_of(text), keep_symbols=False)


def _signs_of(phrases: Iterable[tuple[str, ...]]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """What a text must hold to have one of the phrases: one of the pairs.

    A pair is how phrases begin, and the longest of the other words of each of them, of which one is
    enough; none where one of these phrases is a word alone.
    """
    given = [words for words in phrases if words]
    signs = []
    for opening in _shortest(words[0] for words in given):
        begun = [words[1:] for words in given if opening in words[0]]
        others = _shortest(max(rest, key=len) for rest in begun if rest)
        signs.append((opening, others if all(begun) else ()))
    return tuple(signs)


def _shortest(words: Iterable[str]) -> tuple[str, ...]:
    """Those that have no other of them inside: who looks for these finds the others."""
    given = set(words)
    return tuple(sorted(w for w in given if not any(o in w for o in given if o != w)))


class Phrases:
    """Phrases to look for in texts. A phrase is one word or several words in a row."""

    def __init__(self, phrases: tuple[str, ...]) -> None:
        self._by_words = {split(fold_text(p), keep_symbols=True): p for p in phrases}
        self._longest = max((len(words) for words in self._by_words), default=0)
        spelt = ("[^a-z0-9]+".join(map(re.escape, words)) for words in self._by_words)
        alternatives = "|".join(spelling for spelling in spelt if spelling.isascii())
        self._ascii = re.compile(rf"(?<![a-z0-9])(?:{alternatives or '(?!)'})(?![a-z0-9])")
        self._signs = _signs_of(self._by_words)

    def named_by(self, folded: str) -> str:
        """The phrase that all of `folded` is, in the given spelling; empty when it is none."""
        return self._by_words.get(split_command(folded), "")

    def named_by_words(self, words: tuple[str, ...]) -> str:
        """The phrase that these words are, in the given spelling; empty when they are no phrase."""
        return self._by_words.get(words, "")

    def stand_in(self, folded: str) -> bool:
        """Whether one of the phrases is in `folded` as words of its own."""
        for opening, others in self._signs:
            if opening in folded and (not others or any(other in folded for other in others)):
                break  # few texts come further
        else:
            return False
        if folded.isascii():
            return self._ascii.search(folded) is not None
        return bool(self.found_in(folded))

    def found_in(self, folded: str) -> tuple[str, ...]:
        """The phrases that `folded` contains, each once, in the order of the text."""
        words = split(folded, keep_symbols=False)
        found = {
            phrase: None
            for start in range(len(words))
            for end in range(start + 1, min(start + self._longest, len(words)) + 1)
            if (phrase := self._by_words.get(words[start:end]))
        }
        return tuple(found)


@lru_cache(maxsize=1024)
def phrases(given: tuple[str, ...]) -> Phrases:
    """The phrases `given`. A cache keeps them, so that each directory entry makes them once."""
    return Phrases(given)


_STOP_PHRASES: Final = Phrases((*STOP_WORDS, "STOPALL"))
_STOP_ALL_PHRASES: Final = Phrases(STOP_ALL)
_HELP_PHRASES: Final = Phrases((HELP,))
_START_PHRASES: Final = Phrases(START_WORDS)


def stop_word_in_full(text: str, extra: tuple[str, ...] = ()) -> str:
    """The stop word that the whole text is; empty when the text is not a stop word."""
    return phrases(STOP_WORDS + extra).named_by(fold_text(text))


def is_stop_all(text: str) -> bool:
    """Whether the whole text is STOP ALL, STOPALL or STOP STOP."""
    return bool(_STOP_ALL_PHRASES.named_by(fold_text(text)))


def contains_stop_word(text: str, extra: tuple[str, ...] = ()) -> bool:
    """Whether the text contains a stop word as a whole word. STOPALL counts here."""
    return folded_has_stop_word(fold_text(text), extra)


def is_help(text: str) -> bool:
    """Whether the whole text is HELP."""
    return is_folded_help(fold_text(text))


def is_folded_help(folded: str) -> bool:
    """Whether the whole of a folded text is HELP."""
    return "help" in folded and bool(_HELP_PHRASES.named_by(folded))


def folded_has_stop_word(folded: str, extra: tuple[str, ...] = ()) -> bool:
    """Whether a folded text contains a stop word as a whole word. STOPALL counts here."""
    wanted = phrases((*STOP_WORDS, "STOPALL", *extra)) if extra else _STOP_PHRASES
    return wanted.stand_in(folded)


def is_start(text: str) -> bool:
    """Whether the whole text is START, UNSTOP or YES."""
    return bool(_START_PHRASES.named_by(fold_text(text)))


class KeywordCommand(NamedTuple):
    """A keyword of a shared short code with one word before or after it."""

    keyword: str
    word: str


def _keyword_command(
    text: str, keywords: tuple[str, ...], commands: Phrases
) -> KeywordCommand | None:
    words = split_command(fold_text(text))
    ours = phrases(keywords)
    for cut in range(1, len(words)):
        for keyword_words, command_words in (
            (words[:cut], words[cut:]),
            (words[cut:], words[:cut]),
        ):
            keyword = ours.named_by_words(keyword_words)
            word = commands.named_by_words(command_words)
            if keyword and word:
                return KeywordCommand(keyword, word)
    return None


def keyword_stop(
    text: str, keywords: tuple[str, ...], extra: tuple[str, ...] = ()
) -> KeywordCommand | None:
    """The keyword that the whole text stops, and the stop word: `FUN STOP`, `STOP FUN` (G7.1.2)."""
    return _keyword_command(text, keywords, phrases(STOP_WORDS + extra))


def keyword_start(text: str, keywords: tuple[str, ...]) -> KeywordCommand | None:
    """The keyword that the whole text starts again, and the word: `FUN START` or `START FUN`."""
    return _keyword_command(text, keywords, _START_PHRASES)


def keywords_in(text: str, keywords: tuple[str, ...]) -> tuple[str, ...]:
    """The `keywords` that the text contains as whole words, in the order of the text."""
    return phrases(keywords).found_in(fold_text(text))
