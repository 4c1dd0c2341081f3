"""CSV that a spreadsheet opens as what it is: no cell of a stranger's text is run as a formula."""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What makes a spreadsheet take a cell for a formula (OWASP, "CSV Injection"), also after blanks;
# the last four are the full-width forms.
_FORMULA: Final = re.compile(r"[\s\x00]*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def cell_from_value(value: Any) -> str | int | float:
    """Numbers stay numbers, times are UTC, text that looks like a formula gets a quote."""
    match value:
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
    text = str(value)
    return f"'{text}" if _FORMULA.match(text) or text[:1] in ("\t", "\r", "\n") else text


def csv_from_rows(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """RFC 4180, UTF-8 with the mark that Excel needs to know it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([cell_from_value(value) for value in row])
    return text.getvalue().encode("utf-8-sig", "replace")
