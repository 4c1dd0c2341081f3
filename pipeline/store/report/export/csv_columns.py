"""CSV from columns, many rows at a time: the octets that `csv_form.csv_from_rows` makes of rows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.store.report.export.care import joined_octets, plain_texts, with_care
from pipeline.store.report.export.csv_form import guarded

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Octets of texts that are neither guarded nor quoted: ASCII without controls and a few signs.
_HARMLESS: Final = bytes(octet for octet in range(0x20, 0x7F) if chr(octet) not in '=+-@",')
#: What asks for quotes, and what may begin a formula: a sign with nothing that is seen before it.
_ASKS: Final = r'["\t\r\n,\x{ff1d}\x{ff0b}\x{ff0d}\x{ff20}]|(?:^|[^\x{21}-\x{7e}]|[;|])[=+@-]'
_QUOTED: Final = re.compile('[",\r\n]')  # RFC 4180 2, points 5 to 7


def csv_from_columns(columns: Sequence[Any]) -> bytes:
    """Lines of CSV by RFC 4180, in UTF-8."""
    *cells, last = [_cells_of(column) for column in columns]
    ends = pc.binary_join_element_wise(last, "\r\n", "")
    return joined_octets(pc.binary_join_element_wise(*cells, ends, ","))


def _cells_of(column: Any) -> Any:
    if pa.types.is_timestamp(column.type):
        return plain_texts(pc.cast(column, pa.timestamp("ms")))  # in UTC
    texts = plain_texts(column)
    if pa.types.is_integer(column.type) or pa.types.is_boolean(column.type):
        return texts
    return with_care(texts, harmless=_HARMLESS, asks=_ASKS, treat=_cell_from_text)


def _cell_from_text(text: str) -> str:
    cell = guarded(text)
    return '"' + cell.replace('"', '""') + '"' if _QUOTED.search(cell) else cell
