"""Old tables move to partitions by Kafka's time: nothing is lost, wherever the move is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.avro.single_object import snake_from_camel
from pipeline.kafka import topics
from pipeline.records import MoMessage
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.clickhouse.delete import erase
from pipeline.store.clickhouse.migrations import migrations_in
from pipeline.store.clickhouse.repartition import KEY, MOVING, repartition
from pipeline.store.decoding import KIND_OF, TABLE_OF
from pipeline.store.rows import STORED
from tests.store.clickhouse.moved_store import FEW_MONTHS, MONTHS

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).with_name("moved_store.py")
HANDSET = "447700900001"
#: Statements of the move: two to change names, three for each lot of partitions, one to drop.
KILLS = (1, 2, 3, 4, 5, 6, 33)


def run(*given: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), *map(str, given)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation that was killed many times while it moved, and then was not killed."""
    folder = tmp_path_factory.mktemp("old")
    filled = run("fill", folder)
    assert filled.returncode == 0, filled.stderr
    for burn_at in KILLS:
        killed = run("move", folder, burn_at)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    moved = run("move", folder)
    assert moved.returncode == 0, moved.stderr
    return folder


@pytest.fixture(scope="module")
def database(home: Path) -> Iterator[Database]:
    with Database(Settings(home=home)) as opened:
        yield opened


#: The migration that moves the tables; tables of later migrations were never moved.
MOVE = 12
BEFORE = [found for found in migrations_in() if found.number < MOVE]
MOVED = [kind for kind in STORED if any(TABLE_OF[kind] in found.sql for found in BEFORE)]


@pytest.mark.parametrize("kind", MOVED, ids=lambda kind: kind.__name__)
def test_each_row_is_there_once_and_the_parts_are_few(database: Database, kind: type) -> None:
    name = snake_from_camel(kind.__name__)
    months = MONTHS.get(kind, FEW_MONTHS)
    ((rows, offsets, earliest, latest),) = database.writing.query(
        "SELECT count(), uniqExact(kafka_offset), min(kafka_offset), max(kafka_offset)"
        f" FROM twoway.{name}"
    ).result_rows
    assert (rows, offsets, earliest, latest) == (months, months, 0, months - 1)
    ((parts, partitions),) = database.writing.query(
        "SELECT count(), uniqExact(partition) FROM system.parts"
        f" WHERE database = 'twoway' AND table = '{TABLE_OF[kind]}' AND active"
    ).result_rows
    # The month of the installation and of its migration, and no other.
    assert partitions <= 2
    assert parts <= 2 * (len(KILLS) + 4)


def test_the_key_is_new_and_everything_else_as_it_was(database: Database) -> None:
    asked = (
        "SELECT name, partition_key, sorting_key, engine_full FROM system.tables"
        " WHERE database = 'twoway' AND engine = 'ReplacingMergeTree' AND partition_key != ''"
        # The others are copies of rows, made later.
        " AND name NOT IN ('conversation_line_rows', 'review_line_rows') ORDER BY name"
    )
    found = database.writing.query(asked).result_rows
    assert [row[0] for row in found] == sorted(TABLE_OF.values())
    assert {row[1] for row in found} == {KEY}
    assert all("non_replicated_deduplication_window = 10000" in row[3] for row in found)
    messages = next(row for row in found if row[0] == "mo_message_rows")
    assert messages[2] == "number, gateway_time, handset, message_id"
    assert "index_granularity = 1024" in messages[3]
    indices = database.writing.query(
        "SELECT name FROM system.data_skipping_indices WHERE table = 'mo_message_rows'"
    ).result_rows
    assert {name for (name,) in indices} == {"by_handset", "by_time"}


def test_nothing_is_left_of_the_tables_of_before(database: Database) -> None:
    found = database.writing.query(
        f"SELECT count() FROM system.tables WHERE name LIKE '%{MOVING}'"
    ).result_rows
    assert found == [(0,)]
    repartition(database.writing)  # again changes nothing


def test_a_handset_that_moved_can_be_erased_from_the_disk(database: Database, home: Path) -> None:
    everywhere = {(topic, partition): 1_000 for topic in KIND_OF for partition in range(4)}
    deleted = erase(database.writing, HANDSET, everywhere)
    assert deleted[TABLE_OF[KIND_OF[topics.MO_MESSAGE]]] >= MONTHS[MoMessage]
    assert deleted[TABLE_OF[KIND_OF[topics.MO_RAW]]] >= FEW_MONTHS
    holding = [
        str(file)
        for file in (home / "clickhouse").rglob("*")
        if file.is_file() and HANDSET.encode() in file.read_bytes()
    ]
    assert holding == []
