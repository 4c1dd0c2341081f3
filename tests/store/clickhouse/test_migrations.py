"""Migrations run once, in order, and an applied one is not changed."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NoReturn

import pytest

from pipeline.settings import Settings
from pipeline.store import process
from pipeline.store.clickhouse.database import Database
from pipeline.store.clickhouse.migrations import Migration, MigrationRefused, migrate, migrations_in
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from pathlib import Path


def test_the_files_are_in_the_order_of_their_numbers() -> None:
    numbers = [m.number for m in migrations_in()]
    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize(
    "name", ["0003_twice.sql", "0000_nought.sql", "1_short.sql", "0001-dash.sql"]
)
def test_a_file_with_a_wrong_or_taken_number_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "0003_a.sql").write_text("SELECT 1;\n")
    (tmp_path / name).write_text("SELECT 1;\n")
    with pytest.raises(MigrationRefused, match=name):
        migrations_in(tmp_path)


def test_statements_are_without_comments() -> None:
    sql = "-- a; b\nCREATE TABLE x\n(a String);\n\nSELECT ';' AS a;\n"
    assert list(Migration(1, "0001_x.sql", sql).statements()) == [
        "CREATE TABLE x\n(a String)",
        "SELECT ';' AS a",
    ]


def test_each_is_applied_once_and_a_changed_or_unknown_one_is_refused(tmp_path: Path) -> None:
    known = migrations_in()
    with Database(Settings(home=tmp_path)) as database:
        client = database.writing
        assert migrate(client, known) == []
        changed = [*known[:-1], dataclasses.replace(known[-1], sql=known[-1].sql + " ")]
        with pytest.raises(MigrationRefused, match=f"{known[-1].name} was changed"):
            migrate(client, changed)
        with pytest.raises(MigrationRefused, match=f"{known[-1].name}, which this version"):
            migrate(client, known[:-1])
        new = Migration(
            known[-1].number + 1,
            "0099_new.sql",
            "CREATE TABLE twoway.fresh (a Int8) ENGINE = Log;\n",
        )
        assert migrate(client, [*known, new]) == [new]
    with Database(Settings(home=tmp_path / "other")) as database:
        assert migrate(database.writing, known) == []


def test_a_store_ends_without_a_traceback_at_a_folder_of_a_newer_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = Migration(9999, "9999_newer.sql", "CREATE TABLE twoway.newer (a Int8) ENGINE = Log;\n")
    with Database(Settings(home=migrated(tmp_path / "home"))) as database:
        migrate(database.writing, [*migrations_in(), newer])

    class Ended(Exception):
        """Raised instead of ending this process."""

    def end(reason: str) -> NoReturn:
        raise Ended(reason)

    monkeypatch.setattr(process, "stop_for", end)
    with pytest.raises(Ended, match=r"the database has 9999_newer\.sql, which this version"):
        process._opened(Settings(home=tmp_path / "home"))


def test_a_migration_that_was_killed_in_the_middle_is_applied_again(tmp_path: Path) -> None:
    with Database(Settings(home=tmp_path)) as database:
        database.writing.command("TRUNCATE TABLE twoway.migrations")
        assert migrate(database.writing, migrations_in()) == migrations_in()
