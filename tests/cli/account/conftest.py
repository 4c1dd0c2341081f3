"""The command line in this process, on a report of a database with two accounts."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.cli import main as cli
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
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
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    RunAccount = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The port of a report: `main` has four messages in, of which one is held, and an MT."""
    ledger = PlainLedger()
    ledger.book("credit", 2 * CREDIT, minutes(0), actor="anna", reason="=1+1, paid")
    for at in range(3):
        charge = ledger.hold(f"m{at}", minutes(10 * at), units=THIRD)
        ledger.release(charge, minutes(10 * at + 1))
    ledger.book("mt", -CREDIT, minutes(40), reference="c0")
    ledger.book("mt-correction", CREDIT // 10, minutes(41), reference="c0", parts=0)
    ledger.hold("m3", minutes(50), flags=["review"])
    parts = [part_of(f"m{at}", f"A{at}", minutes(10 * at)) for at in range(4)]
    numbers = listed(account_of(below=10 * CREDIT), account_of("other", mode="book"))
    home = migrated(tmp_path_factory.mktemp("home"))
    with Database(Settings(home=home)) as database:
        store_records(database, [*ledger.records, *parts, numbers], tag="account commands")
        report = Running(database)
        try:
            yield report.url.rpartition(":")[2]
        finally:
            report.stop()


@pytest.fixture
def run_account(
    served: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> RunAccount:
    """Runs a command line on that report: exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setenv("TWOWAY_REPORT_PORT", served)
        monkeypatch.setenv("TWOWAY_HOME", str(tmp_path))
        monkeypatch.setattr(sys, "argv", ["twoway", *arguments])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        said = capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    return run
