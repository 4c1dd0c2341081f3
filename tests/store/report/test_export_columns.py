"""Downloads are made by columns; each cell holds what a plain writer of rows puts there."""

from __future__ import annotations

import csv
import io
import tempfile
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pyarrow as pa
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store.report.export.csv_columns import csv_from_columns
from pipeline.store.report.export.csv_form import csv_from_rows
from pipeline.store.report.export.xlsx_cells import MOST_CHARACTERS, cell_text, letters_of
from pipeline.store.report.export.xlsx_form import XlsxForm
from pipeline.store.report.lists.columns import Column
from pipeline.web.visible import legible

if TYPE_CHECKING:
    from collections.abc import Sequence

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
TYPES = {
    "at": pa.timestamp("ms", tz="UTC"),
    "text": pa.string(),
    "flags": pa.list_(pa.string()),
    "yes": pa.bool_(),
    "count": pa.int64(),
    "more": pa.string(),
}
COLUMNS = [
    Column("at", "time"), Column("text", "text"), Column("flags", "flags"), Column("yes", "yes"),
    Column("count", "count"), Column("more", "words"),
]  # fmt: skip
SHORT = [
    "", " ", "=1", "-1", "+1", "@x", "\t=1", "a;=1", "a|-b", "\uff1d1", "\u200b=1", 'say "hi"',
    "a,b", "a\r\nb", "\r", "\n", "\t", "\0", "<r><t>x</t></r>", "<r></r>", "<b>&amp;</b>", "]]>",
    "_x0041_", "_x005F_", "_X0041_", " blanks ", "\u00a0", "\u202egnp.exe", "\ufffe", "\x7f",
    "\x1b[2J", "مرحبا", "\U0001f4e6" * 3,
]  # fmt: skip
HOSTILE = [*SHORT, "x" * 40_000, "\U0001f4e6" * 20_000, "=" * 33_000, "\0" * 12_000]
AT = datetime(2026, 3, 4, 5, 6, 7, 891_000, UTC)
#: Without halves of a surrogate pair, which UTF-8 has not.
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(SHORT)
ANY_TIME = st.integers(-2_208_988_800_000, 10_413_705_599_000).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)  # 1900 to 2299
ANY_ROW = st.tuples(
    st.none() | ANY_TIME,
    ANY_TEXT,
    st.lists(ANY_TEXT, max_size=3),
    st.booleans(),
    st.none() | st.integers(-(1 << 53), 1 << 53),
    st.none() | ANY_TEXT,
)


def columns_of(rows: Sequence[Sequence[Any]]) -> list[Any]:
    """The rows as columns of Arrow, with some rows before and behind that are cut off."""
    more = [rows[-1], *rows, rows[0]]
    columns = zip(*more, strict=True)
    return [
        pa.array(values, type=kind).slice(1, len(rows))
        for values, kind in zip(columns, TYPES.values(), strict=True)
    ]


@given(st.lists(ANY_ROW, min_size=1, max_size=8))
def test_csv_by_columns_is_csv_by_rows(rows: list[tuple[Any, ...]]) -> None:
    assert csv_from_columns(columns_of(rows)) == csv_from_rows(rows)


def test_csv_by_columns_is_csv_by_rows_for_hostile_cells() -> None:
    rows = [(AT, text, [text, "x"], True, 5, text) for text in HOSTILE]
    octets = csv_from_columns(columns_of(rows))
    assert octets == csv_from_rows(rows)
    assert len(list(csv.reader(io.StringIO(octets.decode(), newline="")))) == len(HOSTILE)


def cells_of(octets: bytes) -> list[dict[str, tuple[str, Any]]]:
    """Each row's cells by their names: kind and value."""
    with zipfile.ZipFile(io.BytesIO(octets)) as book:
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314  ours
    return [
        {cell.attrib["r"]: value_of(cell.get("t", "n"), "".join(cell.itertext())) for cell in row}
        for row in sheet.iter(f"{SHEET}row")
        if len(row)
    ]


def value_of(kind: str, value: str) -> tuple[str, Any]:
    return kind, round(float(value), 9) if kind == "n" else value


def plain_workbook(rows: Sequence[Sequence[Any]]) -> bytes:
    """By XlsxWriter, cell by cell."""
    made = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False}
    with xlsxwriter.Workbook(made, options) as book:
        sheet = book.add_worksheet("Rows")
        time = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        bold = book.add_format({"bold": True})
        for at, column in enumerate(COLUMNS):
            sheet.write_string(0, at, column.name, bold)
        for number, row in enumerate(rows, start=1):
            for at, value in enumerate(row):
                put(sheet, number, at, value, time)
    return made.getvalue()


def put(sheet: Any, number: int, at: int, value: Any, time: Any) -> None:
    match value:
        case None | "" | []:
            return
        case bool():
            sheet.write_boolean(number, at, value)
        case int():
            sheet.write_number(number, at, value)
        case datetime() if value.year > 1900:
            sheet.write_datetime(number, at, value.replace(tzinfo=None), time)
        case list():
            put(sheet, number, at, " ".join(value), time)
        case _:
            sheet.write_string(number, at, cell_text(str(value)))


def workbook(rows: Sequence[Sequence[Any]], file: Path) -> bytes:
    form = XlsxForm(file, COLUMNS)
    form.write(columns_of(rows))
    form.close()
    return file.read_bytes()


def is_taken_for_markup(value: Any) -> bool:
    """XlsxWriter takes such a text for markup of its own."""
    text = " ".join(value) if isinstance(value, list) else value
    return isinstance(text, str) and text.startswith("<r>") and text.endswith("</r>")


@given(st.lists(ANY_ROW, min_size=1, max_size=8))
def test_a_workbook_by_columns_is_one_by_rows(rows: list[tuple[Any, ...]]) -> None:
    rows = [
        tuple("x" if is_taken_for_markup(value) else value for value in row)  # type: ignore[misc]
        for row in rows
    ]
    with tempfile.TemporaryDirectory() as folder:
        octets = workbook(rows, Path(folder, "rows.xlsx"))
    assert cells_of(octets) == cells_of(plain_workbook(rows))


def test_no_text_is_markup_of_a_workbook(tmp_path: Path) -> None:
    rows = [(AT, text, [text], True, 5, text) for text in HOSTILE]
    found = cells_of(workbook(rows, tmp_path / "rows.xlsx"))
    for number, text in enumerate(HOSTILE, start=2):
        _, kept = found[number - 1].get(f"B{number}", ("inlineStr", ""))
        if len(legible(text)) < 20_000:
            assert kept.replace("_x005F_", "_") == legible(text)
        else:
            assert kept.endswith("and a cell has at most 32,767")
        assert len(kept.encode("utf-16-le")) // 2 <= MOST_CHARACTERS


def test_a_time_is_shown_as_one(tmp_path: Path) -> None:
    octets = workbook([(AT, "", [], True, 1, "")], tmp_path / "rows.xlsx")
    with zipfile.ZipFile(io.BytesIO(octets)) as book:
        styles = ElementTree.fromstring(book.read("xl/styles.xml"))  # noqa: S314  ours
        sheet = ElementTree.fromstring(book.read("xl/worksheets/sheet1.xml"))  # noqa: S314  ours
    (cell,) = [each for each in sheet.iter(f"{SHEET}c") if each.get("r") == "A2"]
    style = styles.findall(f"{SHEET}cellXfs/{SHEET}xf")[int(cell.attrib["s"])]
    (shown,) = [
        each.attrib["formatCode"]
        for each in styles.iter(f"{SHEET}numFmt")
        if each.get("numFmtId") == style.get("numFmtId")
    ]
    assert shown.replace("\\", "") == "yyyy-mm-dd hh:mm:ss"


def test_columns_have_names_of_letters() -> None:
    assert [letters_of(at) for at in (0, 25, 26, 51, 52, 701, 702)] == [
        "A", "Z", "AA", "AZ", "BA", "ZZ", "AAA",
    ]  # fmt: skip
