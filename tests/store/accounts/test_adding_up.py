"""Statements add up, whatever was booked; what was changed by somebody is found."""

from __future__ import annotations

from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.credits import MOST_UNITS_AT_ONCE
from pipeline.store.story.account_month import Adding, asking_month
from tests.store.accounts.test_standing import ask
from tests.support.account_records import FIRST, PlainLedger, store_records

if TYPE_CHECKING:
    from pipeline.records import AccountEntry
    from pipeline.store.clickhouse.database import Database

KINDS = ("credit", "mo", "mt", "mt-correction", "gateway-confirmation", "correction")
AMOUNTS = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(-MOST_UNITS_AT_ONCE, MOST_UNITS_AT_ONCE)),
    max_size=40,
)


def entries_of(amounts: list[tuple[str, int]]) -> list[AccountEntry]:
    ledger = PlainLedger()
    return [
        ledger.book(kind, units, FIRST + timedelta(hours=at))
        for at, (kind, units) in enumerate(amounts)
    ]


@given(AMOUNTS, st.integers(0, 40))
def test_any_entries_add_up_from_any_of_them_on(amounts: list[tuple[str, int]], at: int) -> None:
    entries = entries_of(amounts)
    opening = entries[at - 1].balance if 0 < at <= len(entries) else 0
    some = entries[at:] if at <= len(entries) else []
    adding = Adding(opening)
    assert list(adding.follow(some)) == some
    assert adding.faults == []
    assert adding.balance == (some[-1].balance if some else opening)
    assert adding.entries == len(some)


@given(AMOUNTS.filter(bool), st.data())
def test_an_entry_that_was_changed_or_taken_out_is_found(
    amounts: list[tuple[str, int]], data: st.DataObject
) -> None:
    entries = entries_of(amounts)
    at = data.draw(st.integers(0, len(entries) - 1))
    field = data.draw(st.sampled_from(["units", "balance", "gone"]))
    if field == "gone":
        changed = entries[:at] + entries[at + 1 :]
        if at in (0, len(entries) - 1):
            return  # the bounds of ClickHouse say so, and the balance before
    else:
        more = data.draw(st.integers(1, 10**6))
        wrong = msgspec.structs.replace(entries[at], **{field: getattr(entries[at], field) + more})
        changed = [*entries[:at], wrong, *entries[at + 1 :]]
    adding = Adding(0)
    list(adding.follow(changed))
    assert adding.faults


@pytest.mark.parametrize("seed", range(6))
def test_the_months_of_a_random_ledger_join_without_a_gap(database: Database, seed: int) -> None:
    """Opening and entries make closing in each month, and closing is the next month's opening."""
    random = Random(seed)
    ledger = PlainLedger(f"random-{seed}")
    at = FIRST - timedelta(days=random.randrange(60))
    for _ in range(random.randrange(1, 400)):
        ledger.book(random.choice(KINDS), random.randrange(-(10**9), 10**9), at)
        at += timedelta(seconds=random.choice((0, 0, 1, 3_600, 86_400)))
    store_records(database, ledger.records, tag=ledger.account)
    balance = 0
    booked = 0
    for month in ("2025-12", "2026-01", "2026-02", "2026-03", "2026-04", "2026-05", "2026-06"):
        found = ask(database, asking_month(ledger.account, month))
        assert found.faults == []
        assert found.opening == balance
        assert found.opening + found.sum_units == found.closing
        balance = found.closing
        booked += found.entries
    later = sum(entry.at.strftime("%Y-%m") > "2026-06" for entry in ledger.records)  # type: ignore[attr-defined]
    assert booked + later == ledger.sequence
    if not later:
        assert balance == ledger.balance
