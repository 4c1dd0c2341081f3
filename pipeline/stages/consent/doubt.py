"""In doubt a stop counts and an opening does not.

A message is in doubt because of its time (one that no live callback can have, or an unreadable one
in an old log), its characters (an unexpected charset, or octets that another charset reads
differently), or its handset (one that is not international). A possible stop in doubt stops or is
flagged for review. A possible opening in doubt opens neither side. Plain messages are not checked
here.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pipeline.records import Flag, Source
from pipeline.sms.charset import EIGHT_BIT
from pipeline.sms.words.folding import fold_text
from pipeline.sms.words.plausible import plausible_texts
from pipeline.sms.words.regional import octets_in_any, regional_texts
from pipeline.sms.words.stopwords import folded_has_stop_word
from pipeline.sms.words.stopwords_wide import is_a_stop_with_losses, may_be_a_stop
from pipeline.stages.consent.reading import Meaning, Reading, read_text

if TYPE_CHECKING:
    from pipeline.records import MoMessage, Number

_STOPS: Final = (Meaning.STOP_ALL, Meaning.STOP, Meaning.KEYWORD_STOP)
_NOTHING: Final = Reading(Meaning.NOTHING)
_REVIEW: Final = Reading(Meaning.REVIEW)

_IMPLAUSIBLE: Final = Flag.TIMESTAMP_IMPLAUSIBLE.value  # a member is slow to look up
_UNREADABLE: Final = Flag.TIMESTAMP_UNREADABLE.value
_NOT_INTERNATIONAL: Final = Flag.NOT_INTERNATIONAL.value
_UNEXPECTED_CHARSET: Final = Flag.UNEXPECTED_CHARSET.value
_FTP: Final = Source.FTP.value
_CHARACTERS: Final = frozenset(
    flag.value
    for flag in (
        Flag.BYTE_ORDER_SWAPPED,
        Flag.UNEXPECTED_CHARSET,
        Flag.UNEXPECTED_DATA_CODING,
        Flag.UNKNOWN_CHARSET,
        Flag.UNKNOWN_LANGUAGE_TABLE,
    )
)
_LONGEST_WORD: Final = 10  # characters of ASCII that are a stop word in packed septets, or UTF-16
#: UTF-7, what is encoded twice, and hex, with a prefix or blanks as `plausible_texts` takes it.
_ENCODED: Final = re.compile("[+%&].*| *(?:0x)?[0-9A-Fa-f ]+")
_BEGINNINGS: Final = frozenset(chr(at) for at in range(128) if _ENCODED.fullmatch(chr(at)))
_MOST_OCTETS: Final = 160
_MARKS: Final = (b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf")  # byte order marks (Unicode 16.8)


def is_plain(text: str) -> bool:
    """Whether a text, if it is not in doubt otherwise, can have only one reading.

    A short one, one of hex digits, and one that begins as UTF-7 does, may be something else.
    """
    return (
        len(text) > _LONGEST_WORD
        and text.isascii()
        and text.isprintable()
        and (text[0] not in _BEGINNINGS or _ENCODED.fullmatch(text) is None)
    )


def read_in_doubt(message: MoMessage, number: Number | None, reading: Reading) -> Reading:
    """The reading of a message after doubt; for messages that are not plain or not openings."""
    of_characters = (
        message.lossy or message.charset == EIGHT_BIT or not _CHARACTERS.isdisjoint(message.flags)
    )
    doubtful = of_characters or _is_doubtful_otherwise(message)
    if reading.meaning in _STOPS:
        closes = doubtful and reading.opens_gateway
        return reading._replace(opens_gateway=False) if closes else reading
    if of_characters or _may_say_a_stop(message, number):
        other = _other_reading(message, number, of_characters=of_characters)
        if other is not None:
            return other
    if not doubtful:
        return reading
    if reading.meaning is Meaning.REVIEW:
        return _REVIEW
    return _NOTHING._replace(is_help=reading.is_help)


def needs_a_reader(message: MoMessage, reading: Reading) -> bool:
    """Whether a person must read a stop, because its handset is not an international number."""
    return reading.meaning in _STOPS and _NOT_INTERNATIONAL in message.flags


def _is_doubtful_otherwise(message: MoMessage) -> bool:
    flags = message.flags
    return bool(flags) and (
        _IMPLAUSIBLE in flags
        or _NOT_INTERNATIONAL in flags
        or (_UNREADABLE in flags and message.source == _FTP)
    )


def _may_say_a_stop(message: MoMessage, number: Number | None) -> bool:
    """Whether the octets of a message may be a stop in another charset than its label."""
    octets = message.octets
    if len(octets) > _MOST_OCTETS or not octets:
        return False
    if number is not None and number.extra_stop_words:
        return True
    return _some_text_may_be_a_stop(octets, message.text)


@lru_cache(maxsize=4096)
def _some_text_may_be_a_stop(octets: bytes, read: str) -> bool:
    """Whether another reading may be a stop at any number. Cached, as short answers repeat."""
    for text in _other_texts(octets, read):
        folded = fold_text(text)
        if folded_has_stop_word(folded) or may_be_a_stop(folded):
            return True
    return False


def _other_texts(octets: bytes, read: str) -> list[str]:
    texts = dict.fromkeys((*plausible_texts(octets), *regional_texts(octets)))
    return [text for text in texts if text != read]


def _other_reading(
    message: MoMessage, number: Number | None, *, of_characters: bool
) -> Reading | None:
    """The stop or the review that another plausible charset makes of the octets, or None.

    It is a stop if the characters are in doubt, or if the octets are ASCII under another label.
    Otherwise it is a review.
    """
    read = message.text
    labelled = not read.isascii() or not read.isprintable()
    counts = of_characters or (labelled and _are_ascii(message.octets))
    to_review = message.lossy and is_a_stop_with_losses(read)
    texts = _other_texts(message.octets, read)
    if _UNEXPECTED_CHARSET in message.flags and len(read) <= _MOST_OCTETS:
        # The message holds a re-encoded text, so the octets that came are not known: try those
        # that each charset makes of the text.
        for octets in octets_in_any(read):
            texts += _other_texts(octets, read)
    for text in dict.fromkeys(texts):
        other = read_text(text, number, complete=message.complete, lossy=False)
        if other.meaning in _STOPS:
            if counts:
                return other._replace(opens_gateway=False)
            to_review = True
        elif other.meaning is Meaning.REVIEW:
            # A stop word somewhere in the text of another charset is only weak evidence.
            to_review = to_review or of_characters or other.is_of_a_word or not message.complete
    return _REVIEW if to_review else None


def _are_ascii(octets: bytes) -> bool:
    """Whether octets are ASCII, apart from a byte order mark and zeros of wider code units."""
    for mark in _MARKS:
        octets = octets.removeprefix(mark)
    return octets.replace(b"\0", b"").isascii()
