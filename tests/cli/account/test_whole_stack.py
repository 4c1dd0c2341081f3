"""A whole stack that holds messages: what waits, a credit, a statement, the gateway's own."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.clock import PipelineClock
from tests.support.equipped import PRICED

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.equipped import Equipped
    from tests.support.running import RunningStack

pytestmark = [pytest.mark.broker, pytest.mark.timeout(420)]

HANDSET = "447900000002"
GATEWAY_ZONE = timezone(timedelta(hours=2))  # G8.3


def standing(running: RunningStack) -> dict[str, Any]:
    found = running.cli("account", "show", "priced", "--json").stdout.splitlines()
    return json.loads(found[0]) if found else {}


def test_what_waits_is_paid_booked_and_reconciled(equipped: Equipped, tmp_path: Path) -> None:
    running, page, until = equipped.running, equipped.page, equipped.until
    for at in range(4):
        equipped.text(HANDSET, PRICED, f"secret{at}", msg_id=f"ID-secret{at}")
    until(lambda: standing(running).get("held") == 4, "four wait")
    assert standing(running)["forecast"] == "used up: 1 1/3 more credits pay what is held"
    for path in ("accounts", "account?name=priced", "list/unreleased", "review", ""):
        assert "secret" not in page(path)

    words = ("credit", "priced", "1 1/3", "--reason", "Paid.", "--id", "invoice-1", "--by", "anna")
    said = running.cli(*words).stdout
    assert said.splitlines()[0] == "invoice-1: 1 1/3 credits are booked"
    until(lambda: standing(running)["entries"] == 5, "all are paid")
    now = standing(running)
    assert (now["held"], now["balance_credits"], now["is_low"]) == (0, "0", True)
    until(lambda: "secret3" in page("list/lines"), "the messages go on")
    said = running.cli(*words).stdout
    assert "had counted before, as 1 1/3 credits at 20" in said
    assert said.endswith("UTC: nothing changes\n")
    assert standing(running)["balance_credits"] == "0"

    again = running.cli("credit", "priced", "5", "--reason", "x", "--id", "invoice-1", check=False)
    assert again.returncode == 1
    assert "the ledger refused the order" in again.stderr
    unlisted = ("credit", "nobody", "5", "--reason", "x", "--force")
    assert "the ledger refused the order" in running.cli(*unlisted, check=False).stderr

    clock = PipelineClock(running.home).now()
    month = f"{clock:%Y-%m}"
    statement = running.cli("account", "statement", "priced", month)
    assert "opening 0 + booked 0 = closing 0, exactly" in statement.stderr
    notices = "SELECT balance, notify_below FROM account_notice WHERE account = 'priced'"
    assert equipped.rows(notices) == [{"balance": 2_000_000, "notify_below": 3_000_000}]

    at = f"{clock.astimezone(GATEWAY_ZONE):%Y-%m-%d %H:%M:%S}"
    file = tmp_path / "gateway.csv"
    lines = [f"{at},MO,id-secret{n},{HANDSET},{PRICED},0.333333" for n in range(4)]
    file.write_text("\n".join(["date,type,moMsgId,from,to,charge", *lines]))
    said = running.cli("account", "reconcile", "priced", str(file), "--month", month).stdout
    assert "4 lines read, 4 messages agree" in said
