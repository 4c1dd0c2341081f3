"""Copies of one migrated store have nothing in common, though their tables have the same ids."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.clickhouse.migrations import migrate, migrations_in
from tests.support import migrated as homes
from tests.support.migrated import migrated

ROWS = (
    "INSERT INTO twoway.consent_request_rows (request_id, handset, reason) SELECT"
    " toString(number), '44770090000' || toString(number % 9), 'of {name}' FROM numbers(20000)"
)
BY_KEY = "SELECT reason FROM twoway.consent_request_rows WHERE handset = '447700900001'"
BY_COLUMN = "SELECT handset FROM twoway.consent_request_rows WHERE reason = 'of b'"
COUNTED = "SELECT count() FROM twoway.consent_request_rows WHERE reason LIKE '%of a%'"


def test_nothing_is_left_to_do(tmp_path: Path) -> None:
    with Database(Settings(home=migrated(tmp_path / "home"))) as database:
        applied = database.writing.query("SELECT name FROM twoway.migrations FINAL ORDER BY number")
        assert [name for (name,) in applied.result_rows] == [each.name for each in migrations_in()]
        assert migrate(database.writing, migrations_in()) == []


def test_no_answer_is_remembered_from_one_copy_to_the_next(tmp_path: Path) -> None:
    """The engine remembers marks, and which parts a condition holds for, by a table's id."""
    for turn in range(2):
        for name in ("a", "b"):
            with Database(Settings(home=migrated(tmp_path / f"{turn}-{name}"))) as database:
                database.writing.command(ROWS.format(name=name))
                for reading in (database.writing, *(database.reading() for _ in range(3))):
                    assert set(reading.query(BY_KEY).result_rows) == {(f"of {name}",)}
                    assert bool(reading.query(BY_COLUMN).result_rows) == (name == "b")
                    ((count,),) = reading.query(COUNTED).result_rows
                    assert count == (20_000 if name == "a" else 0)


def test_a_home_that_has_a_store_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "clickhouse").mkdir()
    with pytest.raises(AssertionError, match="has a store"):
        migrated(tmp_path)


def test_all_who_share_a_folder_have_the_first_that_one_of_them_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def make(words: list[str], **_: Any) -> None:
        made.append(words[-1])
        Path(words[-1]).mkdir()

    monkeypatch.setattr(homes.subprocess, "run", make)
    monkeypatch.setattr(homes, "_folder", tmp_path)
    together = Barrier(4)

    def ask(_: int) -> Path:
        together.wait()
        return homes._first.__wrapped__()

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(ask, range(4))) == {tmp_path / "migrated"}
    assert len(made) == 1
