"""The copy of messages to be reviewed: of an installation from before, and after a kill."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.kafka import topics
from pipeline.settings import Settings
from pipeline.store.clickhouse import database as opening
from pipeline.store.clickhouse.database import Database
from pipeline.store.clickhouse.delete import erase
from pipeline.store.clickhouse.migrations import migrations_in
from pipeline.store.decoding import KIND_OF
from pipeline.store.rows import columns_of, row_from_record
from tests.store.samples import AT_MS, mo_message
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from pathlib import Path

ADDED = 22
OF_MESSAGES = """SELECT gateway_time, message_id, handset, toString(number), text, flags,
    written_at, kafka_partition, kafka_offset FROM twoway.mo_message_rows FINAL
    WHERE has(flags, 'review') ORDER BY gateway_time, message_id"""
COPIED = """SELECT at, id, handset, toString(number), text, flags, written_at, kafka_partition,
    kafka_offset FROM twoway.review_line_rows FINAL ORDER BY at, id"""
FLAGS: tuple[list[str], ...] = (["review"], [], ["id-reused", "review"], ["id-reused"])
HANDSETS = ("447700900001", "447700900002", "447700900003")


def store_messages(database: Database, first: int, count: int) -> None:
    """Messages of several months, some to be reviewed."""
    kind = type(mo_message())
    rows = [
        row_from_record(
            mo_message(
                message_id=f"{n:032x}", handset=HANDSETS[n % 3], flags=FLAGS[n % 4], text=f"no {n}"
            ),
            key=b"",
            partition=1,
            offset=n,
            written_ms=AT_MS + n * 86_400_000 * 10,
        )
        for n in range(first, first + count)
    ]
    database.writing.insert("mo_message_rows", rows, column_names=columns_of(kind))


def rows_of(database: Database, sql: str) -> list[Any]:
    return list(database.writing.query(sql).result_rows)


@pytest.fixture(scope="module")
def home_of_before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation of before, with messages."""
    home = tmp_path_factory.mktemp("before")
    before = [each for each in migrations_in() if each.number < ADDED]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(opening, "migrations_in", lambda: before)
        with Database(Settings(home=home)) as database:
            store_messages(database, 0, 40)
    return home


@pytest.mark.parametrize("done", range(4), ids=lambda done: f"killed after {done} statements")
def test_an_installation_of_before_has_its_messages_copied_once(
    tmp_path: Path, home_of_before: Path, monkeypatch: pytest.MonkeyPatch, done: int
) -> None:
    shutil.copytree(home_of_before, tmp_path, symlinks=True, dirs_exist_ok=True)
    everything = migrations_in()
    (added,) = [each for each in everything if each.number == ADDED]
    before = [each for each in everything if each.number < ADDED]
    with monkeypatch.context() as patched:
        patched.setattr(opening, "migrations_in", lambda: before)
        with Database(Settings(home=tmp_path)) as database:
            for statement in [*added.statements()][:done]:
                database.writing.command(statement)
    with Database(Settings(home=tmp_path)) as database:
        store_messages(database, 40, 12)
        copied = rows_of(database, COPIED)
        assert len(copied) == 26
        assert copied == rows_of(database, OF_MESSAGES)


def test_an_erasure_takes_the_copies_too(tmp_path: Path) -> None:
    with Database(Settings(home=migrated(tmp_path))) as database:
        store_messages(database, 0, 24)
        before = {(topic, partition): 1_000 for topic in KIND_OF for partition in range(2)}
        before[topics.MO_MESSAGE, 1] = 12
        deleted = erase(database.writing, HANDSETS[0], before)
        copied = rows_of(database, COPIED)
        assert deleted["review_line_rows"] == 2
        assert copied == rows_of(database, OF_MESSAGES)
        theirs = [offset for *_, offset in copied if offset % 3 == 0]
        assert theirs == [12, 18]
