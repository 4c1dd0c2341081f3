"""The views of accounts: thirds add up in units, credits are rounded, what is held is listed."""

from __future__ import annotations

from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.credits import UNITS_PER_CREDIT, rounded_from_units
from tests.support.account_records import (
    CREDIT,
    FIRST,
    THIRD,
    PlainLedger,
    minutes,
    store_records,
)

if TYPE_CHECKING:
    from pipeline.store.clickhouse.database import Database

EDGES = [
    0, 1, 2, 3, 4, 5, 999_999, THIRD, THIRD + 1, 2 * THIRD, CREDIT - 1, CREDIT, 900_000,
    10**12 * CREDIT, 2**60,
]  # fmt: skip


def rows(database: Database, sql: str) -> list[dict[str, Any]]:
    answer = database.writing.query(sql, tz_mode="aware")
    return [dict(zip(answer.column_names, row, strict=True)) for row in answer.result_rows]


def rounded(units: int) -> Decimal:
    """By Python's own arithmetic: the nearest millionth."""
    exact = Fraction(units, UNITS_PER_CREDIT) * 10**6
    return Decimal(round(exact)).scaleb(-6).quantize(Decimal("0.000001"), ROUND_HALF_EVEN)


@pytest.fixture(scope="module")
def filled(database: Database) -> Database:
    edges = PlainLedger("edges")
    for at, units in enumerate(EDGES):
        edges.book("correction", units - edges.balance, minutes(at))
    main = PlainLedger()
    main.book("credit", CREDIT, minutes(0), actor="anna", reason="Paid.")
    first = [main.hold(f"a{at}", minutes(1 + at)) for at in range(3)]
    for at, charge in enumerate(first):
        main.release(charge, minutes(10 + at))
    main.hold("a3", minutes(4), parts=2, units=2 * THIRD, flags=["review"])
    main.hold("a4", minutes(5))
    main.hold("a4", minutes(5))  # the same charge again
    main.book("mt", -CREDIT, minutes(60 * 24 * 31))
    poor = PlainLedger("poor")
    poor.hold("b1", minutes(2))
    paid = PlainLedger("paid")
    for at in range(5):
        paid.release(paid.hold(f"c{at}", minutes(at)), minutes(at + 60 * 24 * 9))
    store_records(
        database,
        [*edges.records, *main.records, *poor.records, *paid.records],
        tag="views",
    )
    return database


def test_units_are_exact_and_credits_are_rounded_as_in_python(filled: Database) -> None:
    found = rows(
        filled,
        "SELECT balance_units, balance_credits FROM account_ledger WHERE account = 'edges'"
        " ORDER BY sequence",
    )
    assert [row["balance_units"] for row in found] == EDGES
    for row in found:
        assert row["balance_credits"] == rounded(row["balance_units"])
        assert str(row["balance_credits"]) == rounded_from_units(row["balance_units"])


def test_the_same_below_zero(filled: Database) -> None:
    found = rows(
        filled, "SELECT units, credits FROM account_ledger WHERE account IN ('main', 'edges')"
    )
    assert any(row["units"] < 0 for row in found)
    for row in found:
        assert row["credits"] == rounded(row["units"])
        assert Decimal(rounded_from_units(row["units"])) == row["credits"]


def test_three_thirds_are_a_credit_in_units_and_not_in_rounded_credits(filled: Database) -> None:
    (row,) = rows(
        filled,
        "SELECT sum(units) AS units, sum(credits) AS credits FROM account_ledger"
        " WHERE account = 'main' AND kind = 'mo'",
    )
    assert row["units"] == -CREDIT
    assert row["credits"] == Decimal("-0.999999")


def test_what_is_held_is_listed_once_in_its_order_and_without_text_or_handset(
    filled: Database,
) -> None:
    found = rows(filled, "SELECT * FROM account_held WHERE account = 'main' ORDER BY at")
    assert [row["charge_id"] for row in found] == ["a3", "a4"]
    assert found[0]["parts"] == 2
    assert found[0]["credits"] == Decimal("0.666667")
    assert set(found[0]) == {
        "charge_id", "account", "number", "parts", "units", "credits", "flags", "part_ids", "at",
    }  # fmt: skip


def test_each_account_now(filled: Database) -> None:
    found = {row["account"]: row for row in rows(filled, "SELECT * FROM account_now")}
    assert set(found) == {"edges", "main", "poor", "paid"}
    main = found["main"]
    assert main["balance_units"] == -CREDIT  # a credit, three thirds, an MT that nothing blocks
    assert (main["held"], main["held_units"]) == (2, CREDIT)
    assert main["oldest_held_at"] == FIRST + timedelta(minutes=4)
    assert main["entries"] == 5
    poor = found["poor"]
    assert (poor["balance_units"], poor["entries"], poor["held"]) == (0, 0, 1)
    assert poor["booked_at"] is None
    assert (found["paid"]["held"], found["paid"]["balance_units"]) == (0, -5 * THIRD)


def test_a_month_by_kind(filled: Database) -> None:
    found = rows(
        filled,
        "SELECT toString(month) AS month, kind, entries, units FROM account_month"
        " WHERE account = 'main' ORDER BY month, kind",
    )
    assert [tuple(row.values()) for row in found] == [
        ("2026-03-01", "credit", 1, CREDIT),
        ("2026-03-01", "mo", 3, -CREDIT),
        ("2026-04-01", "mt", 1, -CREDIT),
    ]
