"""The FTP log `mo.log`: one line per part, with tabs between its fields (G8.3.2)."""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import Reason, Rejected
from pipeline.sms.timestamp import time_from_gateway
from pipeline.sms.words.folding import fold_text
from pipeline.sms.words.plausible import plausible_texts
from pipeline.sms.words.stopword_sets import SETS, WIDE, words_of_sets
from pipeline.sms.words.stopwords import contains_stop_word, stop_word_in_full
from pipeline.sms.words.stopwords_wide import may_be_a_stop
from pipeline.wire.callback import MoCallback, callback_or_rejected
from pipeline.wire.percent import octets_from_percent, percent_from_octets

if TYPE_CHECKING:
    from datetime import datetime

MAX_LINE: Final = 64 * 1024

_FIELDS: Final = (
    "timestamp",
    "handset",
    "number",
    "octets",
    "api_id",
    "mo_msg_id",
    "charset",
    "udh",
    "network_id",
)
_TEXT: Final = _FIELDS.index("octets")


class Overlong(msgspec.Struct, frozen=True):
    """A piece of a line that is too long (over 64 KiB)."""

    octets: bytes


class LineSplitter:
    """Cuts a stream into lines without their LF or CRLF. Octets without a line end wait for it.

    `is_inside_overlong` resumes a stream inside a line that is too long.
    """

    def __init__(self, *, is_inside_overlong: bool = False) -> None:
        self._rest = b""
        self._is_inside_overlong = is_inside_overlong

    @property
    def pending(self) -> int:
        """The number of octets that wait for the end of their line."""
        return len(self._rest)

    @property
    def is_inside_overlong(self) -> bool:
        """Whether the waiting octets continue a line of which pieces were already returned."""
        return self._is_inside_overlong

    def feed(self, octets: bytes) -> list[bytes | Overlong]:
        """The lines that end in `octets`. A line over 64 KiB comes in pieces, without delay."""
        *ended, rest = (self._rest + octets).split(b"\n")
        lines: list[bytes | Overlong] = []
        for line in ended:
            whole = line.removesuffix(b"\r")
            if not self._is_inside_overlong and len(whole) <= MAX_LINE:
                lines.append(whole)
            else:
                lines.extend(Overlong(piece) for piece in _pieces(whole))
                self._is_inside_overlong = False
        while len(rest) > MAX_LINE + 1:  # the one octet more may be the CR of the line end
            self._is_inside_overlong = True
            lines.append(Overlong(rest[:MAX_LINE]))
            rest = rest[MAX_LINE:]
        self._rest = rest
        return lines


def parse(line: bytes) -> MoCallback | Rejected | None:
    """The callback of one line without its line end; None when the line is blank.

    Columns after the ninth are ignored. Missing columns at the end are empty. A UTF-8 byte order
    mark at the beginning is dropped: an editor wrote it, or somebody joined two logs.
    """
    line = line.removeprefix(BOM_UTF8)
    if not line.strip():
        return None
    given: dict[str, bytes] = dict(zip(_FIELDS, line.split(b"\t"), strict=False))
    octets = octets_from_percent(given.pop("octets", b""))
    if octets is None:
        return Rejected(Reason.BROKEN_PERCENT_ENCODING, "the text is not percent-encoded")
    texts = {"handset": "", "number": ""} | {
        field: _text_from_octets(value) for field, value in given.items()
    }
    if "\0" in texts["handset"] or "\0" in texts["number"]:
        return Rejected(Reason.UNREADABLE_RECORD, "the line holds NULs: the log is UTF-16")
    return callback_or_rejected(MoCallback(octets=octets, flag="", **texts))


def time_of_line(line: bytes) -> datetime | None:
    """The time in a line; None when the line has no readable time."""
    stated = line.removeprefix(BOM_UTF8).partition(b"\t")[0]
    return time_from_gateway(_text_from_octets(stated))


def is_utf_16(head: bytes) -> bool:
    """Whether a log that begins with `head` was saved as UTF-16, in either byte order."""
    is_marked = head.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    return is_marked or b"\0" in head.partition(b"\n")[0].partition(b"\t")[0]


def may_hold_stop(unended: bytes, extra: tuple[str, ...] = ()) -> bool:
    """Whether a line without a line end may contain a stop word, or may still get one.

    The answer is yes as long as the text field may go on. The text is read in every plausible
    charset, because the column of the charset comes later. The words are those of the guide, those
    of every set, and `extra`, the words of our numbers.
    """
    if not unended.strip():
        return False
    fields = unended.split(b"\t")
    if len(fields) <= _TEXT + 1:
        return True
    octets = octets_from_percent(fields[_TEXT])
    return octets is None or any(_may_stop(text, extra) for text in plausible_texts(octets))


def _may_stop(text: str, extra: tuple[str, ...]) -> bool:
    return (
        contains_stop_word(text, (*WIDE, *extra))
        or may_be_a_stop(fold_text(text))
        or bool(stop_word_in_full(text, words_of_sets(tuple(SETS))))  # N, R and T among them
    )


def render(callback: MoCallback) -> bytes:
    """The line that the gateway would append, without its line end.

    The network id is there only if the callback has one. Only the text is encoded, so no other
    field may contain a tab or a line end.
    """
    names = _FIELDS if callback.network_id else _FIELDS[:-1]
    fields = [getattr(callback, field) for field in names]
    encoded = [b"" if index == _TEXT else field.encode() for index, field in enumerate(fields)]
    encoded[_TEXT] = percent_from_octets(callback.octets)
    return b"\t".join(encoded)


def _pieces(octets: bytes) -> list[bytes]:
    return [octets[start : start + MAX_LINE] for start in range(0, len(octets), MAX_LINE)]


def _text_from_octets(octets: bytes) -> str:
    try:
        return octets.decode()
    except UnicodeDecodeError:
        return octets.decode("latin-1")
