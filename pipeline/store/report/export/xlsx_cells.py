"""The rows of a sheet as XML, from columns (ECMA-376 Part 1, 18.3.1.73 and 18.3.1.4)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.store.report.export.care import joined_octets, plain_texts, treated, with_care
from pipeline.web.visible import legible

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Excel's own limit ("Excel specifications and limits"), in units of UTF-16.
MOST_CHARACTERS: Final = 32_767
_CUT: Final = " … cut: {} characters, and a cell has at most 32,767"
#: Octets of texts that stand in XML as they are.
_HARMLESS: Final = bytes(octet for octet in range(0x20, 0x7F) if chr(octet) not in "&<>_")
_ASKS: Final = r"[^\x{20}-\x{7e}]|[&<>]|_x[0-9A-Fa-f]{4}_"
#: ST_Xstring (22.9.2.19): what stands for a character that XML has not, where it is no such thing.
_ESCAPE: Final = re.compile("_(x[0-9A-Fa-f]{4}_)")
_BLANK_ENDS: Final = r"^[ \t\r\n]|[ \t\r\n]$"
_EPOCH_DAYS: Final = 25_569.0  # 1970-01-01, in days of Excel
_DAY_MS: Final = 86_400_000.0
#: Excel's days begin with 1900, which it takes for a leap year.
_EARLIEST: Final = datetime(1901, 1, 1, tzinfo=UTC)


def rows_from_columns(columns: Sequence[Any], *, first: int, time_style: int) -> bytes:
    """Rows from the number `first` on; empty cells are left out."""
    count = len(columns[0])
    numbers = pc.cast(pa.array(range(first, first + count)), pa.string())
    cells = [
        _cells_of(column, f'<c r="{letters_of(at)}', numbers, time_style)
        for at, column in enumerate(columns)
    ]
    rows = pc.binary_join_element_wise(
        '<row r="', numbers, '">', *cells, "</row>", "", null_handling="skip"
    )
    return joined_octets(rows)


def letters_of(column: int) -> str:
    """A, B … Z, AA … of a column, counted from 0."""
    before, last = divmod(column, 26)
    return (letters_of(before - 1) if before else "") + chr(ord("A") + last)


def cell_text(text: str) -> str:
    """A text as a cell holds it: with the names of characters that XML 1.0 has not, and cut."""
    held = text if text.isprintable() else legible(text)
    if len(held) * 2 <= MOST_CHARACTERS or _units(held) <= MOST_CHARACTERS:
        return held
    cut = _CUT.format(f"{len(held):,}")
    octets = held.encode("utf-16-le")[: 2 * (MOST_CHARACTERS - len(cut))]
    return octets.decode("utf-16-le", "ignore") + cut


def _cells_of(column: Any, begins: str, numbers: Any, time_style: int) -> Any:
    """Null for an empty cell."""
    if pa.types.is_boolean(column.type):
        return _joined(begins, numbers, '" t="b"><v>', pc.cast(pc.cast(column, "int8"), "string"))
    if pa.types.is_integer(column.type):
        return _joined(begins, numbers, '"><v>', pc.cast(column, "string"))
    if pa.types.is_timestamp(column.type):
        return _times(column, begins, numbers, time_style)
    return _texts(plain_texts(column), begins, numbers)


def _times(column: Any, begins: str, numbers: Any, time_style: int) -> Any:
    """Days of Excel; as words what is before its first day."""
    given = pc.cast(pc.cast(column, pa.int64()), pa.float64())
    days = pc.add(pc.divide(given, _DAY_MS), _EPOCH_DAYS)
    cells = _joined(begins, numbers, f'" s="{time_style}"><v>', pc.cast(days, pa.string()))
    is_early = pc.less(column, pa.scalar(_EARLIEST, column.type))
    if not pc.any(is_early).as_py():
        return cells
    words = pa.array([str(each or "") for each in column.to_pylist()], pa.string())
    return pc.if_else(pc.fill_null(is_early, False), _texts(words, begins, numbers), cells)


def _texts(texts: Any, begins: str, numbers: Any) -> Any:
    octets = joined_octets(texts)
    is_there = pc.not_equal(texts, "")
    if len(octets) > MOST_CHARACTERS:
        is_long = pc.greater(pc.binary_length(texts), MOST_CHARACTERS)
        texts = treated(texts, is_long, cell_text)
    tag: Any = '" t="inlineStr"><is><t>'
    if any(blank in octets for blank in (b" ", b"\n", b"\t")):
        has_blank_ends = pc.match_substring_regex(texts, _BLANK_ENDS)
        tag = pc.if_else(has_blank_ends, '" t="inlineStr"><is><t xml:space="preserve">', tag)
    texts = with_care(texts, harmless=_HARMLESS, asks=_ASKS, treat=_xml_from_text)
    cells = pc.binary_join_element_wise(begins, numbers, tag, texts, "</t></is></c>", "")
    return pc.if_else(is_there, cells, pa.scalar(None, pa.string()))


def _joined(begins: str, numbers: Any, tag: str, values: Any) -> Any:
    return pc.binary_join_element_wise(begins, numbers, tag, values, "</v></c>", "")


def _xml_from_text(text: str) -> str:
    held = _ESCAPE.sub(r"_x005F_\1", cell_text(text))
    return held.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
