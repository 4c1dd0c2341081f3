"""What the guide says of billing (G9), and what the gateway says of charges, to the last third."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.credits import amount_from_units, units_from_amount, units_from_text
from pipeline.records import AccountCharge, AccountCredit, AccountTerms
from pipeline.stages.account.ledger import Ledger
from pipeline.stages.account.row import AccountState, WaitingCharge

ROWS = [
    json.loads(line) for line in (Path(__file__).parent / "accounts.jsonl").read_text().splitlines()
]
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def ledger_of(given: dict[str, Any]) -> Ledger:
    """An account at the prices of the row; armed, as one that was above its bound."""
    terms = AccountTerms(
        name="main",
        mode=given["mode"],
        mo_price_units=units_from_amount(given.get("mo_price", "0")),
        mt_price_units=units_from_amount(given.get("mt_price", "0")),
        notify_below_units=units_from_amount(given["notify_below"])
        if "notify_below" in given
        else None,
    )
    return Ledger("main", AccountState(), terms, now=NOW)


def charge(id: str, kind: str, parts: int, units: int, **fields: Any) -> AccountCharge:
    given: dict[str, Any] = {
        "charge_id": id, "account": "main", "kind": kind, "number": "88801", "parts": parts,
        "units": units, "is_stated": False, "is_held": False, "home": 0, "part_ids": [],
        "flags": [], "at": NOW,
    }  # fmt: skip
    return AccountCharge(**given | fields)


def pay(ledger: Ledger, amount: str, id: str) -> None:
    ledger.take_credit(
        AccountCredit(
            credit_id=id, account="main", kind="credit", units=units_from_amount(amount),
            reference="", actor="anna", reason="Paid.", requested_at=NOW,
        )
    )  # fmt: skip


def play(given: dict[str, Any]) -> Ledger:
    """What the row says happens, in its order."""
    ledger = ledger_of(given)
    if "paid" in given:
        pay(ledger, given["paid"], "before")
    price = units_from_amount(given.get("mo_price", "0"))
    for turn in range(given.get("times", 1)):
        for at, parts in enumerate(given.get("parts", [])):
            id = f"m{turn}-{at}"
            is_held = given["mode"] == "hold"
            ledger.take_charge(charge(id, "mo", parts, parts * price, is_held=is_held), None)
    if "charge" in given:
        parts = given["mt_parts"]
        units = parts * units_from_amount(given["mt_price"])
        booked = ledger.take_charge(charge("c", "mt", parts, units), None)
        stated = units_from_text(given["charge"])
        assert stated is not None
        ledger.take_charge(charge("c", "mt", parts, stated, is_stated=True), booked)
    if "then_paid" in given:
        waiting: dict[int, WaitingCharge] = dict(ledger.queued)
        pay(ledger, given["then_paid"], "after")
        ledger.release_covered(lambda place: waiting[place])
    return ledger


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_a_row_of_billing(row: dict[str, Any]) -> None:
    expected = row["expected"]
    ledger = play(row["input"])
    found = {
        "balance": amount_from_units(ledger.state.balance),
        "released": len(ledger.releases),
        "held": ledger.state.tail - ledger.state.head,
        "notices": [amount_from_units(notice.balance) for notice in ledger.notices],
        "kinds": [entry.kind for entry in ledger.entries],
    }
    assert {name: found[name] for name in found if name in expected} == {
        name: value for name, value in expected.items() if name != "testable"
    }
    assert sum(entry.units for entry in ledger.entries) == ledger.state.balance


def test_three_hundred_thirds_as_floats_would_not_be_a_hundred_credits() -> None:
    """Why amounts are whole numbers of units (`spec-023`)."""
    total = 0.0
    for _ in range(300):
        total += 1 / 3
    assert total != 100
