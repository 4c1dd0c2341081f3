"""The pages and lists of accounts: what is held has no text, and every amount is exact."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from pipeline.store.report.lists.account_listings import EVERY_LISTING
from tests.store.report.serving_report import Running
from tests.support.account_records import (
    CREDIT,
    THIRD,
    PlainLedger,
    account_of,
    listed,
    minutes,
    part_of,
    store_records,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from pipeline.store.clickhouse.database import Database

NAME = "main <b>&"
QUOTED = quote(NAME)
PATHS = ["/accounts", f"/account?name={QUOTED}", f"/statement?name={QUOTED}&month=2026-03"]
ACCOUNT_LISTS = ["account-entries", "charges", "unreleased"]
HELD = 60


@pytest.fixture(scope="module")
def client(database: Database) -> Iterator[httpx.Client]:
    ledger = PlainLedger(NAME)
    ledger.book("credit", 100 * CREDIT, minutes(0), actor="anna", reason="=1+1")
    for at in range(150):
        charge = ledger.hold(f"paid{at:03}", minutes(at // 3))
        ledger.release(charge, minutes(60 + at // 3))
    held = [f"held{at:03}" for at in range(HELD)]
    for at, id in enumerate(held):
        ledger.hold(id, minutes(120 + at), number="88802" if at % 2 else "88801", flags=["review"])
    free = PlainLedger("free")
    free.book("mo", -THIRD, minutes(5))
    store_records(
        database,
        [
            *ledger.records,
            *free.records,
            *(part_of(id, f"mo-{id}", minutes(120)) for id in held),
            listed(account_of(NAME, below=60 * CREDIT)),
        ],
        tag="account pages",
    )
    report = Running(database)
    try:
        yield report.client
    finally:
        report.stop()


def rows_of(client: httpx.Client, name: str, **given: str) -> list[dict[str, str]]:
    answer = client.get(f"/csv/{name}", params=given)
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))


def test_the_accounts_are_shown_with_balance_held_pace_and_forecast(client: httpx.Client) -> None:
    page = client.get("/accounts").text
    assert "main &lt;b&gt;&amp;" in page
    assert "<b>&" not in page
    assert "<dd>50</dd>" in page  # 100 credits less 150 thirds
    assert "used up" not in page  # 60 thirds are held, and covered
    assert "The balance is below 60 credits" in page
    assert ">-1/3</dd>" in page


def test_an_account_has_its_statements_its_entries_and_what_waits(client: httpx.Client) -> None:
    page = client.get("/account", params={"name": NAME}).text
    assert "2026-03" in page
    assert "Unreleased messages" in page
    assert "twoway credit" in page
    assert 'href="csv/account-entries?from=2026-03-01&amp;to=2026-03-31' in page


def test_a_statement_says_that_it_adds_up(client: httpx.Client) -> None:
    page = client.get("/statement", params={"name": NAME, "month": "2026-03"}).text
    assert "Opening 0 + booked 50 = closing 50, exactly." in page


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/account?name=none", 404),
        ("/account", 400),
        ("/account?name=%00", 400),
        (f"/account?name={'x' * 200}", 400),
        ("/account?name=main&odd=1", 400),
        (f"/statement?name={QUOTED}", 400),
        (f"/statement?name={QUOTED}&month=2026-13", 400),
        ("/statement?name=none&month=2026-03", 404),
        ("/list/unreleased?handset=447700900001", 400),
        ("/list/charges?released=perhaps", 400),
        ("/list/lines?released=no", 400),
    ],
)
def test_what_cannot_be_shown_is_refused(client: httpx.Client, path: str, status: int) -> None:
    assert client.get(path).status_code == status


@pytest.mark.parametrize("path", [*PATHS, *(f"/list/{name}" for name in ACCOUNT_LISTS)])
def test_no_page_of_an_account_has_a_text_or_a_handset(client: httpx.Client, path: str) -> None:
    page = client.get(path).text
    assert "secret words" not in page
    assert "447700900001" not in page


@pytest.mark.parametrize("name", ACCOUNT_LISTS)
@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
def test_each_list_has_its_downloads(client: httpx.Client, name: str, form: str) -> None:
    answer = client.get(f"/{form}/{name}", params={"account": NAME, "from": "2026-03-01"})
    assert answer.status_code == 200
    assert b"secret words" not in answer.content


def test_units_of_the_download_are_exact_and_a_formula_is_text(client: httpx.Client) -> None:
    rows = rows_of(client, "account-entries", account=NAME)
    assert len(rows) == 151
    assert sum(int(row["units"]) for row in rows) == 50 * CREDIT
    assert rows[-1]["reason"] == "'=1+1"
    assert [int(row["sequence"]) for row in rows] == list(range(151, 0, -1))


def test_the_ledger_is_paged_without_a_gap(client: httpx.Client) -> None:
    """Three entries have one time: the place in the list is the entry's number, too."""
    seen: list[str] = []
    address = "/list/account-entries?rows=20&piece=1&account=" + QUOTED
    page = client.get(address).text
    seen += entries_in(page)
    whole = client.get(address.replace("&piece=1", "")).text
    while 'rel="next"' in whole:
        link = whole.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
        whole = client.get(f"/list/account-entries{link}").text
        seen += entries_in(whole)
    assert seen == [str(number) for number in range(151, 0, -1)]


def entries_in(page: str) -> list[str]:
    """The numbers of the entries of a page."""
    return [cell.partition("<")[0] for cell in page.split('class="k-count" data-of="entry">')[1:]]


@pytest.mark.parametrize(
    ("given", "count"),
    [
        ({}, 150 + HELD),
        ({"released": "yes"}, 150),
        ({"released": "no"}, HELD),
        ({"released": "no", "number": "88802"}, HELD // 2),
        ({"released": "no", "number": "88801-88802"}, HELD),
        ({"released": "no", "number": "088801-088802"}, 0),
        ({"account": "none"}, 0),
    ],
)
def test_charges_are_filtered_by_release(
    client: httpx.Client, given: dict[str, str], count: int
) -> None:
    rows = rows_of(client, "charges", **{"from": "2026-02-01"} | given)
    assert len(rows) == count
    assert all(row["released"] == given["released"] for row in rows if "released" in given)


def test_what_waits_is_listed_by_account_and_number(client: httpx.Client) -> None:
    assert len(rows_of(client, "unreleased")) == HELD
    assert len(rows_of(client, "unreleased", number="88801")) == HELD // 2
    assert set(rows_of(client, "unreleased")[0]) == {
        "at", "account", "number", "parts", "units", "credits", "flags", "charge_id",
    }  # fmt: skip


def test_every_list_has_a_name_of_its_own() -> None:
    assert set(ACCOUNT_LISTS) < set(EVERY_LISTING)
    assert all(name == listing.name for name, listing in EVERY_LISTING.items())


def test_what_waits_is_to_be_reviewed_without_its_text(client: httpx.Client) -> None:
    page = client.get("/review").text
    assert page.count("It waits for credits, so its text is not shown") == 50
    assert "secret words" not in page
    assert "447700900001" not in page
    rows = rows_of(client, "review")
    assert len(rows) == HELD
    assert {(row["text"], row["handset"]) for row in rows} == {("", "")}


def test_the_first_page_says_how_many_wait(client: httpx.Client) -> None:
    page = client.get("/").text
    assert f'<a href="list/unreleased">Unreleased</a></dt><dd>{HELD}</dd>' in page
    assert f'<a href="review">To be reviewed</a></dt><dd>{HELD}</dd>' in page
