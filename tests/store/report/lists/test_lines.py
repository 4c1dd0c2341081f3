"""Lines page by page: every filter against a plain reading of the records, and no line twice."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import MtCommand, MtState
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.decoding import TABLE_OF, TableRows
from pipeline.store.report.lists.conditions import like_from_text
from pipeline.store.report.lists.cursor import Cursor, cursor_from_query
from pipeline.store.report.lists.filters import BadFilter, Filters, filters_from_query
from pipeline.store.rows import columns_of, row_from_record
from tests.store.report.scene import (
    ALICE,
    ARABIC,
    BOB,
    CARLA,
    DINA,
    NOON,
    REFUSED_TEXT,
    command,
    message,
    scene,
    state,
    store_scene,
)
from tests.store.report.serving_report import Running
from tests.store.samples import AT_MS

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from pipeline.store.clickhouse.database import Database

MANY = 130
FOLLOWED = "447700900077"


@pytest.fixture(scope="module")
def running(database: Database) -> Iterator[Running]:
    many = [
        # Several of one time: only the id tells their order.
        message("9", FOLLOWED, f"number {n}", 60 + n // 3, message_id=f"{n:032x}", number="88809")
        for n in range(MANY)
    ]
    store_scene(database, [*scene(), *many])
    opened = Running(database)
    yield opened
    opened.stop()


@pytest.fixture
def client(running: Running) -> httpx.Client:
    return running.client


def rows_of(client: httpx.Client, **query: str) -> list[dict[str, str]]:
    answer = client.get("/csv/lines", params=query)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def ids_of(client: httpx.Client, **query: str) -> set[str]:
    """The first character of each id: the scene's own names."""
    rows = rows_of(client, **({"to": "2026-03-04T12:59"} | query))
    return {row["id"][0] for row in rows}


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ({}, "12345678abc"),
        ({"handset": ALICE}, "1a24"),
        ({"handset": f"+{ALICE}"}, "1a24"),
        ({"number": "88802"}, "7"),
        ({"number": "88802-88809"}, "7"),
        ({"number": "88802..88809"}, "7"),
        ({"number": "8880-8889"}, ""),
        ({"direction": "in"}, "12356784"),
        ({"direction": "out"}, "abc"),
        ({"direction": "refused"}, "4"),
        ({"complete": "no"}, "8"),
        ({"complete": "yes", "direction": "in"}, "1234567"),
        ({"flag": "review"}, "6"),
        ({"text": "PARCEL"}, "1"),
        ({"text": "parcel", "direction": "refused"}, "4"),
        ({"text": "100%"}, ""),
        ({"text": ARABIC[:8]}, "7"),
        ({"text": "\U0001f4e6"}, "1"),
        ({"keyword": "stop"}, "2"),
        ({"keyword": "hello"}, "1"),
        ({"way": "http"}, "12345678a"),
        ({"way": "smtp"}, ""),
        ({"api_id": "3000001"}, "12345678abc"),
        ({"account": "other"}, ""),
        ({"state": "delivered"}, "a"),
        ({"state": "submitted"}, ""),
        ({"state": "failed", "code": "114"}, "b"),
        ({"code": "004"}, "a"),
        ({"code": "003"}, ""),
        ({"rule": "opted-out"}, "4"),
        ({"purpose": "reply"}, "abc"),
        ({"consent": "stopped"}, "1a248c"),
        ({"consent": "confirmation-due"}, "1a24"),
        ({"consent": "open"}, ""),
        ({"from": "2026-03-04T12:09"}, "78bc"),
        ({"from": "2026-03-04T12:03", "to": "2026-03-04T12:05"}, "24"),
        ({"from": "2026-03-04T14:03+02:00", "to": "2026-03-04T12:05Z"}, "24"),
        ({"from": "2026-03-05", "to": ""}, ""),
        ({"handset": BOB, "flag": "review", "text": "cancel", "direction": "in"}, "6"),
        ({"handset": DINA, "flag": "review"}, ""),
    ],
    ids=str,
)
def test_filters_combine(client: httpx.Client, query: dict[str, str], ids: str) -> None:
    assert ids_of(client, **query) == set(ids)


def test_what_became_of_each_is_beside_it(client: httpx.Client) -> None:
    rows = {(row["record"], row["id"][0]): row for row in rows_of(client, handset=ALICE)}
    sent, refused = rows["mt-command", "a"], rows["mt-rejection", "4"]
    assert (sent["state"], sent["code"], sent["words"]) == (
        "delivered",
        "004",
        "received by the handset",
    )
    assert (refused["text"], refused["rule"]) == (REFUSED_TEXT, "opted-out")
    (waiting,) = [row for row in rows_of(client, handset=CARLA) if row["record"] == "mt-command"]
    assert waiting["state"] == "waiting"


def links_of(page: str, rel: str) -> str:
    start = page.find(f'rel="{rel}" href="')
    return page[start:].split('"')[3].replace("&amp;", "&") if start >= 0 else ""


def texts_of(page: str) -> list[int]:
    return [int(piece.split("<")[0]) for piece in page.split(">number ")[1:]]


def test_pages_follow_each_other_without_a_gap_or_a_double(
    client: httpx.Client, database: Database
) -> None:
    where = f"/list/lines?handset={FOLLOWED}&rows=20"
    seen: list[int] = []
    pages: list[list[int]] = []
    first = True
    while where:
        page = client.get(where).text
        pages.append(texts_of(page))
        seen += pages[-1]
        if first:  # arrivals, before and within what was read, change no page behind
            late = [
                message("9", FOLLOWED, f"number {n}", minutes, message_id=f"{n:032x}")
                for n, minutes in ((900, 200), (901, 61))
            ]
            store_scene(database, late)
            first = False
        older = links_of(page, "next")
        where = f"/list/lines{older}" if older else ""
    assert seen == sorted(range(MANY), key=lambda n: (n // 3, f"{n:032x}"), reverse=True)
    assert [len(each) for each in pages] == [20] * 6 + [10]
    back = client.get(f"/list/lines{links_of(page, 'prev')}").text
    assert texts_of(back) == pages[-2]


def test_a_line_that_is_stored_twice_is_shown_once(
    client: httpx.Client, database: Database
) -> None:
    twice = [message("9", "447700900078", "number 7", 70, message_id="7e" * 16)] * 3
    database.writing.command("SYSTEM STOP MERGES twoway.conversation_line_rows")
    store_scene(database, twice[:1])
    for _ in range(3):
        database.writing.command(
            "INSERT INTO twoway.conversation_line_rows SELECT * FROM twoway.conversation_line_rows"
            " WHERE handset = '447700900078'"
        )
    stored = database.writing.query(
        "SELECT count() FROM twoway.conversation_line_rows WHERE handset = '447700900078'"
    ).result_rows
    assert stored[0][0] > 1
    assert len(rows_of(client, handset="447700900078")) == 1
    assert texts_of(client.get("/list/lines?handset=447700900078&rows=20").text) == [7]
    database.writing.command("SYSTEM START MERGES twoway.conversation_line_rows")


def test_an_address_says_all_of_its_view() -> None:
    query = {"from": "2026-03-04T12:05", "number": "1-2", "text": "a&b=c", "state": "failed"}
    filters = filters_from_query(query)
    assert filters.given() == {**query}
    assert filters_from_query(filters.given()) == filters


@given(st.text(max_size=30))
def test_a_text_is_searched_as_it_stands(text: str) -> None:
    pattern = like_from_text(text)
    bare = pattern[1:-1].replace("\\\\", "\0").replace("\\%", "").replace("\\_", "")
    assert "%" not in bare
    assert "_" not in bare


@pytest.mark.parametrize(
    "query",
    [
        {"before": "x"},
        {"before": "2026-03-04T12:00:00Z"},
        {"before": "2026-03-04T12:00:00Z,1", "after": "2026-03-04T12:00:00Z,1"},
        {"before": "2026-03-04T12:00:00Z," + "x" * 200},
        {"as_of": "soon"},
        {"direction": "sideways"},
        {"complete": "maybe"},
        {"consent": "true"},
        {"number": "20-10"},
        {"number": "1-100"},
        {"text": "x" * 401},
        {"text": "a\0b"},
        {"rows": "1000000"},
        {"from": "2026-03-04T12:05", "to": "2026-03-04T12:05"},
    ],
    ids=str,
)
def test_what_cannot_be_read_is_refused_in_words(
    client: httpx.Client, query: dict[str, str]
) -> None:
    answer = client.get("/list/lines", params=query)
    assert (answer.status_code, len(answer.text) < 300) == (400, True)


def test_a_place_is_read_back() -> None:
    cursor = Cursor(at=NOON + timedelta(milliseconds=5), id="ab,c", as_of=NOON)
    assert cursor_from_query(cursor.address()) == cursor
    assert cursor_from_query({}) == Cursor()
    with pytest.raises(BadFilter):
        cursor_from_query({"before": ","})


def test_an_insert_that_is_repeated_reaches_the_lines(database: Database) -> None:
    """A store that is killed between the table and its copies writes the block again."""
    records: list[Any] = [
        message("9", "447700900079", "again", 80, message_id="8e" * 16),
        command("8", "447700900079", "again", 81),
        state("8", "447700900079", "submitted", 82),
    ]
    writer = ClickHouseWriter(database.writing)

    async def insert() -> None:
        for number, record in enumerate(records):
            row = row_from_record(record, key=b"", partition=3, offset=number, written_ms=1)
            rows = TableRows(TABLE_OF[type(record)], columns_of(type(record)), [row])
            await writer.insert(rows, tag=f"killed {number}")

    count = "SELECT count() FROM twoway.{} WHERE handset = '447700900079'"
    asyncio.run(insert())
    for table in ("conversation_line_rows", "mt_last_state_rows"):
        database.writing.command(
            f"ALTER TABLE twoway.{table} DELETE WHERE handset = '447700900079'",
            settings={"mutations_sync": 2},
        )
    asyncio.run(insert())
    writer.close()
    assert database.writing.query(count.format("mo_message_rows")).result_rows == [(1,)]
    assert database.writing.query(count.format("conversation_line_rows")).result_rows == [(2,)]
    assert database.writing.query(count.format("mt_last_state_rows")).result_rows == [(1,)]


def test_filters_without_a_value_are_none() -> None:
    assert filters_from_query({}) == Filters()


def test_how_far_was_looked_is_said_where_a_page_is_not_full(
    client: httpx.Client, database: Database
) -> None:
    """All were submitted once and are delivered now: none of them is shown as submitted."""
    handset = "447700900080"
    records = []
    for n in range(90):
        id = {"command_id": f"{n:032x}", "request_id": f"o{n}"}
        records += [
            command("5", handset, "sent", 90 + n, **id),
            state("5", handset, "submitted", 90 + n, state_id=f"s{n}".ljust(32, "0"), **id),
            state("5", handset, "delivered", 91 + n, state_id=f"d{n}".ljust(32, "0"), **id),
        ]
    database.writing.command("SYSTEM STOP MERGES twoway.mt_last_state_rows")
    for kind in (MtCommand, MtState):
        of_kind = [record for record in records if type(record) is kind]
        rows = [
            row_from_record(record, key=b"", partition=2, offset=number, written_ms=AT_MS)
            for number, record in enumerate(of_kind)
        ]
        database.writing.insert(TABLE_OF[kind], rows, column_names=columns_of(kind))
    where, shown, looked = f"?handset={handset}&state=submitted&rows=20", 0, 0
    while where and looked < 10:
        page = client.get(f"/list/lines{where}").text
        shown += page.count('<tr class="mt-command">')
        where = links_of(page, "next")
        looked += 1
    assert (shown, where) == (0, "")
    assert rows_of(client, handset=handset, state="submitted") == []
    assert len(rows_of(client, handset=handset, state="delivered")) == 90
    database.writing.command("SYSTEM START MERGES twoway.mt_last_state_rows")
