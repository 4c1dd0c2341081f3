"""Reads what a message means for consent (G7.1): a stop, an opening, HELP, or nothing."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from pipeline.directory.directory import SHARED_SHORT_CODE
from pipeline.sms.charset import EIGHT_BIT
from pipeline.sms.words.folding import fold_text
from pipeline.sms.words.stopword_sets import words_of_sets
from pipeline.sms.words.stopwords import (
    folded_has_stop_word,
    is_folded_help,
    is_start,
    is_stop_all,
    keyword_start,
    keyword_stop,
    keywords_in,
    stop_word_in_full,
)
from pipeline.sms.words.stopwords_wide import may_be_a_stop

if TYPE_CHECKING:
    from pipeline.records import MoMessage, Number


class Meaning(Enum):
    """What a message means for consent."""

    STOP = auto()
    KEYWORD_STOP = auto()
    STOP_ALL = auto()
    OPENING = auto()  # re-enables the gateway's side, and ours if `opens_ours`
    REVIEW = auto()  # no stop message, but it holds a stop word, or is one in another set
    NOTHING = auto()


class Reading(NamedTuple):
    """The meaning of one message. `keywords`: those it stops or opens on a shared short code."""

    meaning: Meaning
    word: str = ""
    keywords: tuple[str, ...] = ()
    opens_ours: bool = False
    opens_gateway: bool = False  # by the guide's words; may be true for a stop on our side
    is_the_guides: bool = True  # for a stop: the gateway knows the word too
    is_of_a_word: bool = False  # for a review: the whole text may be meant as a stop word
    is_help: bool = False
    used_keyword: str = ""  # on a shared short code: the gate's default keyword


_NOTHING = Reading(Meaning.NOTHING)
_REVIEW = Reading(Meaning.REVIEW)
_OPENING = Reading(Meaning.OPENING, opens_ours=True, opens_gateway=True)


def read_message(message: MoMessage, number: Number | None) -> Reading:
    """The meaning of `message` by the rules of the number texted; None: it is not listed."""
    if message.charset == EIGHT_BIT:  # binary, so it has no text
        return _NOTHING
    return read_text(message.text, number, complete=message.complete, lossy=message.lossy)


def read_text(text: str, number: Number | None, *, complete: bool, lossy: bool) -> Reading:
    """The meaning of a text, which a message has or may have."""
    folded = fold_text(text)
    extra: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()
    if number is None:
        shared, strict = None, False
    else:
        extra = tuple(number.extra_stop_words)
        shared = tuple(number.keywords) if number.kind == SHARED_SHORT_CODE else None
        strict = number.strict
        if number.stop_words:
            ours = words_of_sets(tuple(number.stop_words))
    if folded_has_stop_word(folded, extra):
        return _stop(text, extra, shared) if complete else _REVIEW
    if ours and folded_has_stop_word(folded, ours):
        return _stop_of_ours(text, ours, shared, lossy=lossy) if complete else _REVIEW
    if may_be_a_stop(folded):
        return _review_of_wide(text, shared, lossy=lossy) if complete else _REVIEW
    if not complete or lossy or not text.strip():
        return _NOTHING
    asks_help = is_folded_help(folded)
    if shared is None:
        if not strict and not asks_help:
            return _OPENING
        opens_ours = is_start(text) if strict else not asks_help
        return Reading(
            Meaning.OPENING, opens_ours=opens_ours, opens_gateway=True, is_help=asks_help
        )
    found = keywords_in(text, shared)
    if not found:
        return Reading(Meaning.NOTHING, is_help=asks_help)
    opens_ours = not strict or keyword_start(text, shared) is not None
    return Reading(
        Meaning.OPENING,
        keywords=found,
        opens_ours=opens_ours,
        opens_gateway=True,
        used_keyword=found[0],
    )


def _stop(text: str, extra: tuple[str, ...], shared: tuple[str, ...] | None) -> Reading:
    if is_stop_all(text):
        return Reading(Meaning.STOP_ALL)
    return _whole(text, extra, shared) or _REVIEW


def _whole(text: str, words: tuple[str, ...], shared: tuple[str, ...] | None) -> Reading | None:
    """The stop if the whole text is a stop word of the guide or of `words`, else None."""
    word = stop_word_in_full(text, words)
    if word:
        return Reading(Meaning.STOP, word=word, keywords=shared or ())
    command = keyword_stop(text, shared, words) if shared else None
    if command is None:
        return None
    return Reading(
        Meaning.KEYWORD_STOP,
        word=command.word,
        keywords=(command.keyword,),
        used_keyword=command.keyword,
    )


def _stop_of_ours(
    text: str, words: tuple[str, ...], shared: tuple[str, ...] | None, *, lossy: bool
) -> Reading:
    """A text with a word of the number's sets: a stop on our side, any message to the gateway."""
    stop = _whole(text, words, shared)
    if stop is None:
        return _review_of_wide(text, shared, lossy=lossy)
    opened = keywords_in(text, shared) if shared else ()
    opens = not lossy and (shared is None or bool(opened))
    return stop._replace(opens_gateway=opens, is_the_guides=False)


def _review_of_wide(text: str, shared: tuple[str, ...] | None, *, lossy: bool) -> Reading:
    """A text with a word of a set not chosen: a review on our side, an opening to the gateway."""
    found = keywords_in(text, shared) if shared else ()
    opens = not lossy and (shared is None or bool(found))
    return Reading(Meaning.REVIEW, keywords=found, opens_gateway=opens, is_of_a_word=True)
