"""A workbook for Excel, written row by row: it holds one row in memory, whatever it has."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import xlsxwriter

from pipeline.web.visible import legible

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipeline.store.report.lists.columns import Column

#: Excel's own limits ("Excel specifications and limits").
MOST_ROWS: Final = 1_048_576
MOST_CHARACTERS: Final = 32_767
_CUT: Final = " … cut: {} characters, and a cell has at most 32,767"
#: Excel's first day.
_EARLIEST_YEAR: Final = 1900
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_WIDTHS: Final = {"time": 20, "text": 60, "words": 40, "id": 34, "handset": 16, "number": 14}


class XlsxForm:
    """Writes a list as a workbook: a sheet is full after 1,048,576 rows, and another begins."""

    def __init__(
        self, file: Path, columns: Sequence[Column], *, most_rows: int = MOST_ROWS
    ) -> None:
        options = _OPTIONS | {"tmpdir": str(file.parent)}
        self._book = xlsxwriter.Workbook(str(file), options)
        self._time = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._bold = self._book.add_format({"bold": True})
        self._columns = columns
        self._most_rows = most_rows
        self._row = most_rows  # the first row makes the first sheet

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows."""
        for row in rows:
            if self._row >= self._most_rows:
                self._begin()
            for at, value in enumerate(row):
                self._put(at, value)
            self._row += 1

    def close(self) -> None:
        """Write the workbook to its file; nothing is added after it."""
        if self._row >= self._most_rows and not self._book.worksheets():
            self._begin()
        self._book.close()

    def _begin(self) -> None:
        number = len(self._book.worksheets()) + 1
        self._sheet = self._book.add_worksheet(f"Rows {number}" if number > 1 else "Rows")
        self._sheet.freeze_panes(1, 0)
        for at, column in enumerate(self._columns):
            self._sheet.set_column(at, at, _WIDTHS.get(column.kind, 14))
            self._sheet.write_string(0, at, column.name, self._bold)
        self._row = 1

    def _put(self, at: int, value: Any) -> None:
        match value:
            case None | "":
                return
            case str():
                self._sheet.write_string(self._row, at, cell_text(value))
            case bool():
                self._sheet.write_boolean(self._row, at, value)
            case int() | float():
                self._sheet.write_number(self._row, at, value)
            case datetime() if value.year > _EARLIEST_YEAR:
                naive = value.astimezone(UTC).replace(tzinfo=None)
                self._sheet.write_datetime(self._row, at, naive, self._time)
            case list() | tuple():
                if value:
                    self._sheet.write_string(self._row, at, cell_text(" ".join(map(str, value))))
            case _:
                self._sheet.write_string(self._row, at, str(value))


def cell_text(text: str) -> str:
    """A text as a cell holds it: with the names of characters that XML 1.0 has not, and cut."""
    held = text if text.isprintable() else legible(text)
    if len(held) <= MOST_CHARACTERS:
        return held
    cut = _CUT.format(f"{len(held):,}")
    return held[: MOST_CHARACTERS - len(cut)] + cut
