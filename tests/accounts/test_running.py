"""`twoway accounts` in a whole stack: messages wait, and a credit or another mode ends it."""

from __future__ import annotations

import json
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
NUMBERS = f'[[number]]\nnumber = "{NUMBER}"\nkind = "vmn"\napi_id = "1"\n'


def account(mode: str) -> str:
    return f'{NUMBERS}[[account]]\nname = "main"\nmode = "{mode}"\n'


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningStack]:
    home = migrated(tmp_path / "home")
    (home / "numbers.toml").write_text(account("hold"))
    running = RunningStack(home, settings={"partitions": "2"})
    running.start()
    yield running
    running.stop(within_seconds=60)


def until(holds: Callable[[], bool], what: str, *, seconds: float = 60.0) -> None:
    for _ in looks(seconds=seconds):
        if holds():
            return
    raise AssertionError(what)


def text(running: RunningStack, words: str) -> None:
    query = {"api_id": "1", "from": HANDSET, "to": NUMBER, "text": words, "moMsgId": words}
    with urlopen(f"{running.stack.ingest}/mo/http?{urlencode(query)}") as said:  # noqa: S310 - ours
        assert said.status == 200


def rows(running: RunningStack, statement: str) -> list[Any]:
    return [json.loads(line) for line in running.cli("sql", statement).stdout.splitlines()]


def texts(running: RunningStack) -> list[str]:
    found = rows(running, "SELECT text FROM mo_message ORDER BY kafka_offset")
    return [row["text"] for row in found]


def test_messages_wait_for_a_credit_and_stops_do_not(running: RunningStack) -> None:
    assert "accounts" in running.stack.pids
    text(running, "one")
    text(running, "two")
    text(running, "STOP")
    charges = "SELECT count() AS n FROM account_charge WHERE is_held"
    until(lambda: rows(running, charges) == [{"n": 3}], "three charges")
    assert texts(running) == []
    state = "SELECT gateway_state FROM consent_change"
    until(lambda: rows(running, state) == [{"gateway_state": "confirmation-due"}], "the stop")

    running.cli("credit", "main", "2/3", "--reason", "paid")
    until(lambda: texts(running) == ["one", "two"], "the two that are paid")
    ledger = "SELECT kind, units, balance FROM account_entry ORDER BY sequence"
    assert rows(running, ledger) == [
        {"kind": "credit", "units": 2_000_000, "balance": 2_000_000},
        {"kind": "mo", "units": -1_000_000, "balance": 1_000_000},
        {"kind": "mo", "units": -1_000_000, "balance": 0},
    ]
    (running.home / "numbers.toml").write_text(account("off"))
    running.cli("numbers", "load", str(running.home / "numbers.toml"))
    until(lambda: texts(running) == ["one", "two", "STOP"], "the rest, once it is off")
    text(running, "three")
    until(lambda: texts(running)[3:] == ["three"], "one that is not charged")
    assert rows(running, "SELECT count() AS n FROM account_charge") == [{"n": 3}]
    two_way = rows(running, "SELECT direction, text FROM two_way WHERE direction = 'MO'")
    assert len(two_way) == 4
