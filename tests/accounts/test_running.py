"""`twoway accounts` in a whole stack: messages wait, and a credit or another mode ends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.equipped import HELD

if TYPE_CHECKING:
    from tests.support.equipped import Equipped

pytestmark = [pytest.mark.broker, pytest.mark.timeout(420)]

HANDSET = "447900000001"
OF_HANDSET, OF_ACCOUNT = f"handset = '{HANDSET}'", "account = 'held'"


def texts(equipped: Equipped) -> list[str]:
    found = equipped.rows(f"SELECT text FROM mo_message WHERE {OF_HANDSET} ORDER BY kafka_offset")
    return [row["text"] for row in found]


def test_messages_wait_for_a_credit_and_stops_do_not(equipped: Equipped) -> None:
    running, rows, until = equipped.running, equipped.rows, equipped.until

    def text(words: str) -> None:
        equipped.text(HANDSET, HELD, words, msg_id=words)

    assert "accounts" in running.stack.pids
    text("one")
    text("two")
    text("STOP")
    charges = f"SELECT count() AS n FROM account_charge WHERE is_held AND {OF_ACCOUNT}"
    until(lambda: rows(charges) == [{"n": 3}], "three charges")
    assert texts(equipped) == []
    state = f"SELECT gateway_state FROM consent_change WHERE {OF_HANDSET}"
    until(lambda: rows(state) == [{"gateway_state": "confirmation-due"}], "the stop")

    running.cli("credit", "held", "2/3", "--reason", "paid")
    until(lambda: texts(equipped) == ["one", "two"], "the two that are paid")
    ledger = f"SELECT kind, units, balance FROM account_entry WHERE {OF_ACCOUNT} ORDER BY sequence"
    assert rows(ledger) == [
        {"kind": "credit", "units": 2_000_000, "balance": 2_000_000},
        {"kind": "mo", "units": -1_000_000, "balance": 1_000_000},
        {"kind": "mo", "units": -1_000_000, "balance": 0},
    ]
    running.cli("numbers", "load", str(equipped.write_numbers(mode="off")))
    until(lambda: texts(equipped) == ["one", "two", "STOP"], "the rest, once it is off")
    text("three")
    until(lambda: texts(equipped)[3:] == ["three"], "one that is not charged")
    charged = f"SELECT count() AS n FROM account_charge WHERE {OF_ACCOUNT}"
    assert rows(charged) == [{"n": 3}]
    two_way = rows(f"SELECT text FROM two_way WHERE direction = 'MO' AND {OF_HANDSET}")
    assert len(two_way) == 4
