"""What a message says about consent (G7.1): a stop, a re-enabling, a call for help, or nothing."""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, NamedTuple

from pipeline.directory.directory import SHARED_SHORT_CODE
from pipeline.sms.charset import EIGHT_BIT
from pipeline.sms.stopwords import (
    contains_stop_word,
    is_help,
    is_start,
    is_stop_all,
    keyword_start,
    keyword_stop,
    keywords_in,
    stop_word_in_full,
)

if TYPE_CHECKING:
    from pipeline.records import MoMessage, Number


class Meaning(Enum):
    """What a message is to consent."""

    STOP = auto()
    KEYWORD_STOP = auto()
    STOP_ALL = auto()
    OPENING = auto()  # re-enables the gateway's side, and ours where `opens_ours`
    REVIEW = auto()  # contains a stop word and is no stop message
    NOTHING = auto()


class Reading(NamedTuple):
    """One message, read. `keywords` are those it stops or opens, on a shared short code."""

    meaning: Meaning
    word: str = ""
    keywords: tuple[str, ...] = ()
    opens_ours: bool = False
    is_help: bool = False
    used_keyword: str = ""  # of a shared short code, for the gate to fall back on


_NOTHING = Reading(Meaning.NOTHING)
_REVIEW = Reading(Meaning.REVIEW)
_OPENING = Reading(Meaning.OPENING, opens_ours=True)


def read_message(message: MoMessage, number: Number | None) -> Reading:
    """What `message` says, by the rules of the number texted; None: a number not listed."""
    if message.charset == EIGHT_BIT:  # binary: what it contains cannot be told
        return _NOTHING
    text = message.text
    extra = tuple(number.extra_stop_words) if number else ()
    shared = tuple(number.keywords) if number and number.kind == SHARED_SHORT_CODE else None
    if contains_stop_word(text, extra):
        return _stop(text, extra, shared) if message.complete else _REVIEW
    if not message.complete or message.lossy or not text.strip():
        return _NOTHING
    strict = number is not None and number.strict
    if shared is None:
        asks_help = is_help(text)
        if not strict and not asks_help:
            return _OPENING
        opens_ours = is_start(text) if strict else not asks_help
        return Reading(Meaning.OPENING, opens_ours=opens_ours, is_help=asks_help)
    found = keywords_in(text, shared)
    if not found:
        return Reading(Meaning.NOTHING, is_help=is_help(text))
    opens_ours = not strict or keyword_start(text, shared) is not None
    return Reading(Meaning.OPENING, keywords=found, opens_ours=opens_ours, used_keyword=found[0])


def _stop(text: str, extra: tuple[str, ...], shared: tuple[str, ...] | None) -> Reading:
    if is_stop_all(text):
        return Reading(Meaning.STOP_ALL)
    word = stop_word_in_full(text, extra)
    if word:
        return Reading(Meaning.STOP, word=word, keywords=shared or ())
    command = keyword_stop(text, shared, extra) if shared else None
    if command:
        return Reading(
            Meaning.KEYWORD_STOP,
            word=command.word,
            keywords=(command.keyword,),
            used_keyword=command.keyword,
        )
    return _REVIEW
