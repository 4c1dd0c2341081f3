"""Hostile texts as names of accounts, reasons and numbers, on every page of accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest

from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from tests.hostile.test_report_routes import HOSTILE, check_page
from tests.store.report.asked_once import asked_once
from tests.store.report.serving_report import Running
from tests.support.account_records import CREDIT, PlainLedger, minutes, store_records
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.records import Record
    from tests.store.report.plain_client import PlainClient

#: An address holds no NUL, and a name that cannot be asked for has no page.
NAMES = [text for text in HOSTILE if "\0" not in text and len(text) <= 128]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainClient]:
    records: list[Record] = []
    for name in HOSTILE:
        ledger = PlainLedger(name)
        ledger.book("credit", CREDIT, minutes(0), actor=name, reason=name, reference=name)
        ledger.book(name, -CREDIT, minutes(1), number=name)
        ledger.hold(f"h{len(records)}", minutes(2), number=name, flags=[name, "review"])
        records += ledger.records
    with Database(Settings(home=migrated(tmp_path_factory.mktemp("home")))) as database:
        store_records(database, records, tag="hostile accounts")
        report = Running(database)
        try:
            with asked_once(), report.plain_client() as opened:
                yield opened
        finally:
            report.stop()


def test_no_page_of_accounts_acts(client: PlainClient) -> None:
    assert NAMES
    addresses = ["/accounts", "/list/account-entries", "/list/charges?from=2026-01-01"]
    addresses += ["/list/unreleased", "/review", "/"]
    for name in NAMES:
        addresses.append(f"/account?name={quote(name)}")
        addresses.append(f"/statement?name={quote(name)}&month=2026-03")
    for address in addresses:
        answer = client.get(address, headers={"Accept": "text/html"})
        assert answer.status_code == 200 or name_is_trimmed(address), address
        check_page(answer.text)


def name_is_trimmed(address: str) -> bool:
    """Blanks at the ends of a parameter are taken off: a name that has some is not found."""
    return address.startswith(("/account?", "/statement?")) and any(
        quote(name) in address and name != name.strip() for name in NAMES
    )
