"""Downloads: all rows in every format, safe in a spreadsheet, and never cut in silence."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.store.query.questions import Questions
from pipeline.store.report.export import looked_up, whole
from pipeline.store.report.export.answer import exported
from pipeline.store.report.export.csv_form import csv_from_rows
from pipeline.store.report.export.xlsx_cells import MOST_CHARACTERS, cell_text
from pipeline.store.report.export.xlsx_form import XlsxForm
from pipeline.store.report.lists.columns import Column
from pipeline.store.report.lists.listings import LINES, LISTINGS
from tests.store.report.scene import ARABIC, FORMULA, MARKUP, NOON, OVERRIDE, scene, store_scene
from tests.store.report.serving_report import Running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.store.clickhouse.database import Database

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


@pytest.fixture(scope="module")
def running(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    store_scene(database, scene())
    opened = Running(database, home=tmp_path_factory.mktemp("spool"))
    yield opened
    opened.stop()


@pytest.fixture
def client(running: Running) -> httpx.Client:
    return running.client


def sheets_of(octets: bytes) -> list[list[list[tuple[str, str]]]]:
    """Sheets of rows of cells, each its kind and its value, as the file has them."""
    found = []
    with zipfile.ZipFile(io.BytesIO(octets)) as book:
        names = sorted(name for name in book.namelist() if name.startswith("xl/worksheets/sheet"))
        for name in names:
            sheet = ElementTree.fromstring(book.read(name))  # noqa: S314  our own file
            assert sheet.find(f".//{SHEET}f") is None, "a formula"
            assert sheet.find(f".//{SHEET}hyperlink") is None, "a link"
            found.append(
                [
                    [
                        (
                            cell.get("t", "n"),
                            "".join(cell.itertext()),
                        )
                        for cell in row
                    ]
                    for row in sheet.iter(f"{SHEET}row")
                ]
            )
    return found


@pytest.mark.parametrize("name", LISTINGS)
@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_every_list_is_there_in_every_format(client: httpx.Client, form: str, name: str) -> None:
    answer = client.get(f"/{form}/{name}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.{form}"'
    columns = [column.name for column in exported(LISTINGS[name])]
    match form:
        case "csv":
            head = next(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        case "xlsx":
            head = [value for _, value in sheets_of(answer.content)[0][0]]
        case _:
            head = pq.read_table(io.BytesIO(answer.content)).column_names
    assert head == columns


def test_a_workbook_has_texts_as_they_are_and_no_formula(client: httpx.Client) -> None:
    (rows,) = sheets_of(client.get("/xlsx/lines").content)
    cells = {value: kind for row in rows for kind, value in row}
    for text in (FORMULA, MARKUP, ARABIC):
        assert cells[text] == "inlineStr"
    assert "abc[RLO]gnp.exe[PDF] and [NUL]NUL" in cells
    assert OVERRIDE not in cells
    assert cells["447700900001"] == "inlineStr"


def test_parquet_has_types(client: httpx.Client) -> None:
    table = pq.read_table(io.BytesIO(client.get("/parquet/lines").content))
    rows = table.to_pylist()
    assert {row["text"] for row in rows} >= {FORMULA, MARKUP, ARABIC, OVERRIDE}
    by_id = {row["id"][0]: row for row in rows if row["record"] == "mo-message"}
    assert (by_id["1"]["at"], by_id["8"]["complete"], by_id["8"]["parts_missing"]) == (
        NOON,
        False,
        ["2"],
    )


def test_a_download_has_more_rows_than_are_read_at_once(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once = client.get("/csv/lines").text
    monkeypatch.setattr(whole, "ROWS_AT_ONCE", 3)
    monkeypatch.setattr(looked_up, "LINES_AHEAD", 4)
    for name in ("lines", "opt-outs", "conversations"):
        again = client.get(f"/csv/{name}").text
        if name == "lines":
            assert again == at_once
        assert len(again.splitlines()) > 2


def test_memory_of_a_download_is_given_back(client: httpx.Client) -> None:
    """Arrow's allocator keeps what each thread once had; the system's gives large pieces back."""
    assert client.get("/csv/lines").status_code == 200
    assert pa.default_memory_pool().backend_name == "system"


def test_what_breaks_off_is_never_taken_for_an_end(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    async def columns(*_: Any) -> Any:
        nonlocal asked
        asked += 1
        if asked > 1:
            raise RuntimeError("the engine has gone")
        row = {column.name: "x" for column in LISTINGS["opt-outs"].columns}
        return pa.RecordBatch.from_pylist([row | {"recorded_at": NOON, "at": NOON}] * 3)

    monkeypatch.setattr(whole, "ROWS_AT_ONCE", 3)
    monkeypatch.setattr(Questions, "columns", columns)
    with pytest.raises(httpx.RemoteProtocolError):
        client.get("/csv/opt-outs")
    asked = 1
    assert client.get("/xlsx/opt-outs").status_code == 500


def test_a_workbook_goes_on_in_another_sheet(tmp_path: Path) -> None:
    file = tmp_path / "rows.xlsx"
    form = XlsxForm(file, [Column("n", "count"), Column("text", "text")], most_rows=4)
    form.write([pa.array(range(7)), pa.array([f"text {n}" for n in range(7)])])
    form.close()
    sheets = sheets_of(file.read_bytes())
    assert [len(rows) for rows in sheets] == [4, 4, 2]
    assert [rows[0][0][1] for rows in sheets] == ["n"] * 3
    numbers = [int(row[0][1]) for rows in sheets for row in rows[1:]]
    assert numbers == list(range(7))


def test_a_cell_that_is_too_long_is_cut_and_says_so() -> None:
    cut = cell_text("x" * 40_000)
    assert len(cut) == MOST_CHARACTERS
    assert cut.endswith("cut: 40,000 characters, and a cell has at most 32,767")
    assert cell_text("x" * MOST_CHARACTERS) == "x" * MOST_CHARACTERS


def test_an_empty_workbook_opens(tmp_path: Path) -> None:
    file = tmp_path / "rows.xlsx"
    form = XlsxForm(file, exported(LINES))
    form.close()
    assert len(sheets_of(file.read_bytes())[0]) == 1


def test_a_list_in_a_cell_is_words() -> None:
    assert csv_from_rows([[["a", "b"], [], [2, 3]]]) == b"a b,,2 3\r\n"
