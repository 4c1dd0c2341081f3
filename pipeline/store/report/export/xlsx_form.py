"""A workbook for Excel. It goes into its file as the rows come, whatever it has.

XlsxWriter makes the workbook with nothing but the heads of its sheets; the rows are put into them.
"""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any, Final

import xlsxwriter

from pipeline.store.report.export.xlsx_cells import rows_from_columns

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipeline.store.report.lists.columns import Column

#: Excel's own limit ("Excel specifications and limits").
MOST_ROWS: Final = 1_048_576
#: So many octets of XML: a sheet with 2 GiB would need ZIP64, which not every reader knows.
MOST_OCTETS: Final = 3 << 29
#: Of XML: about 5 MB.
_ROWS_A_PIECE: Final = 5_000
_SHEET: Final = "xl/worksheets/sheet{}.xml"
_ROWS_END: Final = b"</sheetData>"
_DIMENSION: Final = re.compile(rb"<dimension [^>]*/>")  # not known as the sheet begins
_STYLE: Final = re.compile(rb'<col [^>]*style="(\d+)"')
#: A quick one: XML repeats itself so much that others make it little smaller.
_COMPRESSION: Final = 1
_WIDTHS: Final = {"time": 20, "text": 60, "words": 40, "id": 34, "handset": 16, "number": 14}


class XlsxForm:
    """Writes a list as a workbook. Where a sheet is full, another begins."""

    def __init__(
        self, file: Path, columns: Sequence[Column], *, most_rows: int = MOST_ROWS
    ) -> None:
        self._columns = columns
        self._most_rows = most_rows
        self._folder = file.parent
        self._book = zipfile.ZipFile(
            file, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION
        )
        begun = _workbook(columns, 2, file.parent)
        self._heads = [begun[_SHEET.format(number)] for number in (1, 2)]
        style = _STYLE.search(self._heads[0])
        self._time_style = int(style[1]) if style else 0
        self._sheets = 0
        self._sheet: Any = None
        self._begin()

    def write(self, columns: Sequence[Any]) -> None:
        """Add rows, given as columns of Arrow."""
        count, at = len(columns[0]), 0
        while at < count:
            if self._row > self._most_rows or self._octets > MOST_OCTETS:
                self._end()
                self._begin()
            some = min(count - at, self._most_rows + 1 - self._row, _ROWS_A_PIECE)
            octets = rows_from_columns(
                [column.slice(at, some) for column in columns],
                first=self._row,
                time_style=self._time_style,
            )
            self._sheet.write(octets)
            self._octets += len(octets)
            self._row += some
            at += some

    def close(self) -> None:
        """Write the workbook to its end; nothing is added after it."""
        self._end()
        for name, octets in _workbook(self._columns, self._sheets, self._folder).items():
            if not name.startswith("xl/worksheets/"):
                self._book.writestr(name, octets)
        self._book.close()

    def _begin(self) -> None:
        self._sheets += 1
        head, end, self._tail = self._heads[min(self._sheets, 2) - 1].partition(_ROWS_END)
        self._tail = end + self._tail
        self._sheet = self._book.open(_SHEET.format(self._sheets), "w")
        self._sheet.write(_DIMENSION.sub(b"", head))
        self._row = 2
        self._octets = 0

    def _end(self) -> None:
        self._sheet.write(self._tail)
        self._sheet.close()


def _workbook(columns: Sequence[Column], sheets: int, folder: Path) -> dict[str, bytes]:
    """The parts of a workbook with so many sheets, each with its first row."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"constant_memory": True, "tmpdir": str(folder)}) as book:
        time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        bold = book.add_format({"bold": True})
        for number in range(1, sheets + 1):
            sheet = book.add_worksheet(f"Rows {number}" if number > 1 else "Rows")
            sheet.freeze_panes(1, 0)
            for at, column in enumerate(columns):
                kind = time if column.kind in ("time", "day") else None
                sheet.set_column(at, at, _WIDTHS.get(column.kind, 14), kind)
                sheet.write_string(0, at, column.name, bold)
    with zipfile.ZipFile(made) as parts:
        return {name: parts.read(name) for name in parts.namelist()}
