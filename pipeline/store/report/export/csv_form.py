"""CSV for spreadsheets, in which no cell with a handset's text runs as a formula."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

from pipeline.sms.words.default_ignorable import is_ignorable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# The first character of a formula in a spreadsheet (OWASP, "CSV Injection"); the last four are
# full-width forms.
_OPENS_FORMULA: Final = frozenset("=+-@\t\r\uff1d\uff0b\uff0d\uff20")
# If a locale separates cells by ; or a tab, a spreadsheet splits one cell of ours at these.
_SEPARATOR: Final = re.compile("([;|\t\r\n\uff1b])")
_MAY_BE_FORMULA: Final = re.compile("[=+@\t\r\n\uff1d\uff0b\uff0d\uff20-]")


def _is_unseen(character: str) -> bool:
    """Whether the character is invisible: a blank, control, format or ignorable character."""
    return unicodedata.category(character)[0] in "CZ" or is_ignorable(character)


def guarded(text: str) -> str:
    """The text, with a quote before each piece that a spreadsheet might run as a formula."""
    if not _MAY_BE_FORMULA.search(text):
        return text
    pieces = [f"'{piece}" if _opens(piece) else piece for piece in _SEPARATOR.split(text)]
    whole = "".join(pieces)
    return f"'{whole}" if whole[:1] in ("\t", "\r", "\n") else whole


def _opens(piece: str) -> bool:
    if piece in ("\t", "\r"):  # a separator; the next piece is checked by itself
        return False
    for character in piece:
        if character in _OPENS_FORMULA:
            return True
        if not _is_unseen(character):
            return False
    return False


def cell_from_value(value: Any) -> str | int | float:
    """The cell of a value: numbers stay numbers, times are UTC, formulas in text get a quote."""
    match value:
        case str():
            return guarded(value) if value else value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case datetime():
            return value.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        case date():
            return value.isoformat()
        case list() | tuple():
            return guarded(" ".join(map(str, value)))
    text = str(value)
    return guarded(text)


BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"  # without it Excel reads UTF-8 as windows-1252


def csv_from_rows(rows: Iterable[Sequence[Any]]) -> bytes:
    """Lines of CSV by RFC 4180, in UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([[cell_from_value(value) for value in row] for row in rows])
    return text.getvalue().encode("utf-8", "replace")
