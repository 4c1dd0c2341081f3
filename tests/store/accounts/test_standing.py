"""How an account stands, and a month of it, by the questions that the page and the commands ask."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pipeline.store.report.warn.balance import low_balance
from pipeline.store.report.warn.warning import OperatorWarning
from pipeline.store.story.account import AccountStanding, asking_accounts, lines_of_account
from pipeline.store.story.account_month import BadMonth, asking_month, times_of_month
from pipeline.store.story.asking import answered
from tests.support.account_records import (
    CREDIT,
    FIRST,
    THIRD,
    PlainLedger,
    account_of,
    listed,
    minutes,
    store_records,
)

if TYPE_CHECKING:
    from pipeline.store.clickhouse.database import Database
    from pipeline.store.story.asking import Asking

DAY = 60 * 24


def ask(database: Database, asking: Asking[Any]) -> Any:
    def rows(sql: str, parameters: Any) -> list[dict[str, Any]]:
        found = database.writing.query(sql, parameters=parameters, tz_mode="aware")
        return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]

    return answered(asking, rows)


@pytest.fixture(scope="module")
def filled(database: Database) -> Database:
    main = PlainLedger()
    main.book("credit", 100 * CREDIT, minutes(0))
    for day in range(14):
        main.book("mo", -CREDIT, minutes(DAY * day + 60))
    short = PlainLedger("short")
    short.book("credit", 2 * THIRD, minutes(0))
    for at in range(3):
        short.hold(f"s{at}", minutes(DAY * 13 + at), parts=3, units=3 * THIRD)
    store_records(
        database,
        [
            *main.records,
            *short.records,
            listed(
                account_of(below=90 * CREDIT),
                account_of("short", below=CREDIT),
                account_of("quiet", mode="book"),
            ),
        ],
        tag="standing",
    )
    return database


def standings(database: Database, now: datetime) -> dict[str, AccountStanding]:
    return {each.account: each for each in ask(database, asking_accounts(now))}


def test_balance_pace_and_forecast(filled: Database) -> None:
    found = standings(filled, minutes(DAY * 14))["main"]
    assert (found.mode, found.balance_units, found.entries) == ("hold", 86 * CREDIT, 15)
    assert found.pace_units == CREDIT
    assert found.days_left == 86
    assert found.is_low
    assert "86 credits" in "\n".join(lines_of_account(found))
    assert found.forecast == "lasts about 86 days at this pace"


def test_what_is_held_is_part_of_the_pace_and_nothing_is_left(filled: Database) -> None:
    found = standings(filled, minutes(DAY * 14))["short"]
    assert (found.held, found.held_units, found.balance_units) == (3, 3 * CREDIT, 2 * THIRD)
    assert found.pace_units == 3 * CREDIT  # in its first day
    assert found.forecast == "used up: 2 1/3 more credits pay what is held"
    assert found.oldest_held_at == FIRST + timedelta(days=13)


def test_an_account_that_is_only_listed_stands_at_nothing(filled: Database) -> None:
    found = standings(filled, minutes(0))["quiet"]
    assert (found.balance_units, found.days_left, found.is_low) == (0, None, False)
    assert found.forecast == "nothing is spent at present"


def test_one_of_a_name(filled: Database) -> None:
    (found,) = ask(filled, asking_accounts(minutes(0), account="short"))
    assert found.account == "short"
    assert ask(filled, asking_accounts(minutes(0), account="none")) == []


def test_a_month_adds_up(filled: Database) -> None:
    found = ask(filled, asking_month("main", "2026-03"))
    assert (found.opening, found.closing, found.entries) == (0, 86 * CREDIT, 15)
    assert found.sum_units == 86 * CREDIT
    assert found.faults == []
    assert found.words == "opening 0 + booked 86 = closing 86, exactly"


def test_a_month_without_entries_opens_and_closes_with_what_was_there(filled: Database) -> None:
    before = ask(filled, asking_month("main", "2026-02"))
    after = ask(filled, asking_month("main", "2026-04"))
    assert (before.opening, before.closing, before.days) == (0, 0, [])
    assert (after.opening, after.closing) == (86 * CREDIT, 86 * CREDIT)
    assert before.faults == after.faults == []


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        ({2: None}, "entries are missing: 3 of 4 are there"),
        ({1: {"balance": 7 * CREDIT}}, "2 balances do not follow from the one before"),
        ({0: {"balance": 9 * CREDIT}}, "it opens with"),
        ({3: {"units": -2 * CREDIT}}, "opening and entries do not make the closing balance"),
    ],
)
def test_a_ledger_that_does_not_add_up_says_so(
    database: Database, broken: dict[int, dict[str, int] | None], words: str
) -> None:
    name = f"broken-{next(iter(broken))}"
    ledger = PlainLedger(name)
    for at in range(4):
        ledger.book("correction", CREDIT, minutes(at))
    records = [
        msgspec.structs.replace(record, **(broken.get(at) or {}))
        for at, record in enumerate(ledger.records)
        if broken.get(at, {}) is not None
    ]
    store_records(database, records, tag=name)
    found = ask(database, asking_month(name, "2026-03"))
    assert words in "; ".join(found.faults)
    assert "does not add up" in found.words


@pytest.mark.parametrize(
    ("text", "until"),
    [("2026-03", (2026, 4)), ("2026-12", (2027, 1)), (" 1999-01 ", (1999, 2))],
)
def test_a_month_ends_where_the_next_begins(text: str, until: tuple[int, int]) -> None:
    since, end = times_of_month(text)
    assert f"{since:%Y-%m}" == text.strip()
    assert end == datetime(*until, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-00", "26-03", "2026-03-01", "1066-10", "٢٠٢٦-03"]
)
def test_what_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(BadMonth):
        times_of_month(text)


async def test_what_an_operator_must_know_now(filled: Database) -> None:
    async def rows(sql: str, parameters: Any) -> list[dict[str, Any]]:
        found = filled.writing.query(sql, parameters=parameters, tz_mode="aware")
        return [dict(zip(found.column_names, row, strict=True)) for row in found.result_rows]

    found = await low_balance(rows, minutes(DAY * 14))
    assert found == OperatorWarning(
        name="low-balance",
        words="2 accounts have a low balance, main the first; 3 messages wait for credits",
        count=2,
        link="accounts",
        is_urgent=True,
    )
