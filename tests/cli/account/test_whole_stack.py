"""A whole stack that holds messages: what waits, a credit, a statement, the gateway's own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from tests.support.looking import looks
from tests.support.migrated import migrated
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = [pytest.mark.broker, pytest.mark.timeout(420)]

HANDSET, NUMBER = "447900000001", "447700900100"
NUMBERS = f"""
[[number]]
number = "{NUMBER}"
kind = "vmn"
api_id = "1"

[[account]]
name = "main"
mode = "hold"
mo_price = "1/3"
notify_below = "1"
"""
GATEWAY_ZONE = timezone(timedelta(hours=2))  # G8.3


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStack]:
    home = migrated(tmp_path_factory.mktemp("account") / "home")
    (home / "numbers.toml").write_text(NUMBERS)
    running = RunningStack(home, settings={"partitions": "2"})
    running.start()
    yield running
    running.stop(within_seconds=60)


def until(holds: Callable[[], bool], what: str, *, seconds: float = 90.0) -> None:
    for _ in looks(seconds=seconds):
        if holds():
            return
    raise AssertionError(what)


def text(running: RunningStack, words: str) -> None:
    query = {"api_id": "1", "from": HANDSET, "to": NUMBER, "text": words, "moMsgId": f"ID-{words}"}
    with urlopen(f"{running.stack.ingest}/mo/http?{urlencode(query)}") as said:  # noqa: S310 - ours
        assert said.status == 200


def standing(running: RunningStack) -> dict[str, Any]:
    found = running.cli("account", "show", "--json").stdout.splitlines()
    return json.loads(found[0]) if found else {}


def page(running: RunningStack, path: str) -> str:
    with urlopen(f"{running.stack.report}/{path}") as said:  # noqa: S310 - ours
        return str(said.read().decode())


def test_what_waits_is_paid_booked_and_reconciled(running: RunningStack, tmp_path: Path) -> None:
    for at in range(4):
        text(running, f"secret{at}")
    until(lambda: standing(running).get("held") == 4, "four wait")
    assert standing(running)["forecast"] == "used up: 1 1/3 more credits pay what is held"
    for path in ("accounts", "account?name=main", "list/unreleased", "review", ""):
        assert "secret" not in page(running, path)

    words = ("credit", "main", "1 1/3", "--reason", "Paid.", "--id", "invoice-1", "--by", "anna")
    said = running.cli(*words).stdout
    assert said.splitlines()[0] == "invoice-1: 1 1/3 credits are booked"
    until(lambda: standing(running)["entries"] == 5, "all are paid")
    now = standing(running)
    assert (now["held"], now["balance_credits"], now["is_low"]) == (0, "0", True)
    until(lambda: "secret3" in page(running, "list/lines"), "the messages go on")
    assert "had counted before, as 1 1/3 credits" in running.cli(*words).stdout
    assert standing(running)["balance_credits"] == "0"

    again = running.cli("credit", "main", "5", "--reason", "x", "--id", "invoice-1", check=False)
    assert again.returncode == 1
    assert "the ledger refused the order" in again.stderr

    month = f"{datetime.now(UTC):%Y-%m}"
    statement = running.cli("account", "statement", "main", month)
    assert "opening 0 + booked 0 = closing 0, exactly" in statement.stderr
    notices = running.cli("sql", "SELECT balance, notify_below FROM account_notice").stdout
    assert [json.loads(line) for line in notices.splitlines()] == [
        {"balance": 2_000_000, "notify_below": 3_000_000}
    ]

    at = f"{datetime.now(GATEWAY_ZONE):%Y-%m-%d %H:%M:%S}"
    file = tmp_path / "gateway.csv"
    lines = [f"{at},MO,id-secret{n},{HANDSET},{NUMBER},0.333333" for n in range(4)]
    file.write_text("\n".join(["date,type,moMsgId,from,to,charge", *lines]))
    said = running.cli("account", "reconcile", "main", str(file), "--month", month).stdout
    assert "4 lines read, 4 messages agree" in said
