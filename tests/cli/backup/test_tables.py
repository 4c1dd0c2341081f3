"""Rows of the real engine come back, and what the store has not committed stays out."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pipeline.cli.backup import tables
from pipeline.cli.terminal.failure import CommandError
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import _READING, Database
from pipeline.store.decoding import NO_PLACE, TABLE_OF
from pipeline.store.rows import columns_of, row_from_record
from tests.store.samples import SAMPLES
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from clickhouse_connect.driver.client import Client

DAY = timedelta(days=1)
EVERYTHING = {0: 2**62}
VIEWS = ("two_way", "mo_raw", "consent_change", "conversation_line", "account_now", "mt_now")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with Database(Settings(home=migrated(tmp_path_factory.mktemp("home")))) as opened:
        yield opened


@pytest.fixture
def filled(database: Database) -> Database:
    """A record of every kind at the offsets 0 to 4 of partition 0."""
    tables.empty_tables(database)
    for record in SAMPLES:
        put(database, record, range(5))
    return database


@pytest.fixture
def client(filled: Database) -> Iterator[Client]:
    with tables.reading_tables(filled) as opened:
        yield opened


def put(database: Database, record: Any, offsets: Any, *, partition: int = 0) -> None:
    kind = type(record)
    rows = [
        row_from_record(record, key=b"44", partition=partition, offset=offset, written_ms=0)
        for offset in offsets
    ]
    database.writing.insert(f"twoway.{TABLE_OF[kind]}", rows, column_names=columns_of(kind))


def answers(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    return {
        view: database.writing.query(
            f"SELECT * EXCEPT (stored_at) FROM twoway.{view} ORDER BY ALL"
            if view == "conversation_line"
            else f"SELECT * FROM twoway.{view} ORDER BY ALL"
        ).result_rows
        for view in VIEWS
    }


def test_there_is_a_sample_of_every_table() -> None:
    assert {TABLE_OF[type(each)] for each in SAMPLES} >= set(tables.SAVED_TABLES.values())


def test_every_table_comes_back_with_what_follows_from_it(
    filled: Database, client: Client, tmp_path: Path
) -> None:
    before = answers(filled)
    saved = {
        table: tables.save_table(filled, client, table, below=EVERYTHING, folder=tmp_path)
        for table in tables.SAVED_TABLES.values()
    }
    assert all(each.rows for each in saved.values())

    tables.empty_tables(filled)
    assert tables.tables_with_rows(filled) == []
    for table, each in saved.items():
        tables.insert_table(filled, client, table, each, tmp_path)

    assert answers(filled) == before


def test_rows_that_the_store_has_not_committed_are_left_out(
    filled: Database, client: Client, tmp_path: Path
) -> None:
    saved = tables.save_table(filled, client, "mo_raw_rows", below={0: 3}, folder=tmp_path)

    assert saved.rows == 3
    assert [(each.first, each.last) for each in saved.ranges] == [(0, 2)]


def test_letters_that_the_store_made_itself_are_kept(
    filled: Database, client: Client, tmp_path: Path
) -> None:
    letter = next(each for each in SAMPLES if TABLE_OF[type(each)] == "dead_letter_rows")
    put(filled, letter, [NO_PLACE], partition=NO_PLACE)

    saved = tables.save_table(filled, client, "dead_letter_rows", below={}, folder=tmp_path)

    assert [(each.partition, each.rows) for each in saved.ranges] == [(NO_PLACE, 1)]


def test_a_range_that_is_too_large_for_an_answer_is_halved(
    filled: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = next(each for each in SAMPLES if TABLE_OF[type(each)] == "mo_raw_rows")
    put(filled, raw, range(100))
    monkeypatch.setitem(_READING, "max_result_rows", 60)

    with tables.reading_tables(filled) as client:
        saved = tables.save_table(filled, client, "mo_raw_rows", below=EVERYTHING, folder=tmp_path)

    assert [(e.first, e.last, e.rows) for e in saved.ranges] == [(0, 49, 50), (50, 99, 50)]


def test_rows_of_another_program_are_seen(filled: Database, client: Client, tmp_path: Path) -> None:
    saved = tables.save_table(filled, client, "mo_raw_rows", below=EVERYTHING, folder=tmp_path)
    raw = next(each for each in SAMPLES if TABLE_OF[type(each)] == "mo_raw_rows")
    tables.empty_tables(filled)
    put(filled, msgspec.structs.replace(raw, received_at=raw.received_at + DAY), [1])

    with pytest.raises(CommandError, match="mo_raw_rows has other rows than were saved"):
        tables.insert_table(filled, client, "mo_raw_rows", saved, tmp_path)
