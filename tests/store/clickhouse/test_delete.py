"""A handset's rows are deleted from the real engine: no row is left, and no digits on the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from pipeline import records
from pipeline.avro.single_object import snake_from_camel
from pipeline.kafka import topics
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.clickhouse.delete import erase
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.decoding import KIND_OF, TABLE_OF
from pipeline.store.rows import STORED_OF_HANDSETS, columns_of, row_from_record
from pipeline.whose.rules import COPIES
from tests.store.samples import (
    AT,
    AT_MS,
    HANDSET,
    NUMBER,
    SAMPLES,
    kafka_record,
    mo_message,
    mt_request,
)
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.records import Record

OTHER = "447700900002"
EVERYWHERE = {(topic, partition): 100 for topic in KIND_OF for partition in range(4)}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(Settings(home=migrated(tmp_path))) as opened:
        yield opened


def of(handset: str, record: Record) -> Record:
    """The sample, with the handset of the test."""
    if "handset" in record.__struct_fields__:
        return msgspec.structs.replace(record, handset=handset)
    if isinstance(record, records.MtRequest):
        return msgspec.structs.replace(record, to=f"+{handset}")
    if isinstance(record, records.DeadLetter):
        octets = b"\xc3\x01from=%s&text=x" % handset.encode()
        return msgspec.structs.replace(record, octets=octets)
    return record


def insert(database: Database, record: Record, *, key: str, offset: int = 7, partition: int = 1):
    kind = type(record)
    row = row_from_record(
        record, key=key.encode(), partition=partition, offset=offset, written_ms=AT_MS
    )
    database.writing.insert(TABLE_OF[kind], [row], column_names=columns_of(kind))


def count(database: Database, kind: type[Record]) -> int:
    view = snake_from_camel(kind.__name__)
    return database.writing.query(f"SELECT count() FROM twoway.{view}").result_rows[0][0]


def files_with(digits: str, folder: Path) -> list[str]:
    return [str(f) for f in folder.rglob("*") if f.is_file() and digits.encode() in f.read_bytes()]


def test_every_row_of_the_handset_goes_from_the_disk_and_no_other(database, tmp_path):
    for sample in SAMPLES:
        if type(sample) in STORED_OF_HANDSETS:
            insert(database, of(HANDSET, sample), key=HANDSET)
            insert(database, of(OTHER, sample), key=OTHER)
    assert files_with(HANDSET, tmp_path)
    deleted = erase(database.writing, HANDSET, EVERYWHERE)
    copies = {table: len(kinds) for table, kinds in COPIES.items()}
    assert deleted == {TABLE_OF[kind]: 1 for kind in STORED_OF_HANDSETS} | copies
    assert {count(database, kind) for kind in STORED_OF_HANDSETS} == {1}
    assert files_with(HANDSET, tmp_path) == []
    assert files_with(OTHER, tmp_path)
    outdated = """SELECT count() FROM system.parts
        WHERE database = 'twoway' AND table != 'migrations' AND NOT active"""
    assert database.writing.query(outdated).result_rows == [(0,)]
    assert erase(database.writing, HANDSET, EVERYWHERE) == dict.fromkeys(deleted, 0)
    settings = "SELECT count() FROM system.tables WHERE engine_full LIKE '%old_parts_lifetime%'"
    assert database.writing.query(settings).result_rows == [(0,)]


LETTER = next(sample for sample in SAMPLES if isinstance(sample, records.DeadLetter))


@pytest.mark.parametrize(
    ("record", "key"),
    [
        pytest.param(mt_request(to=f" +{HANDSET} "), "wrong-key", id="request-under-a-wrong-key"),
        pytest.param(mt_request(to=HANDSET), "", id="request-under-no-key"),
        pytest.param(
            msgspec.structs.replace(LETTER, key=HANDSET.encode()), "", id="letter-by-its-key"
        ),
        pytest.param(
            msgspec.structs.replace(
                LETTER, headers=[records.Header(name="q", value=b"from=00%s" % HANDSET.encode())]
            ),
            "",
            id="letter-by-a-header",
        ),
    ],
)
def test_rows_under_another_key_are_found(database, record, key):
    insert(database, record, key=key)
    erase(database.writing, HANDSET, EVERYWHERE)
    assert count(database, type(record)) == 0


def test_what_came_after_the_erasure_stays(database):
    before = {**EVERYWHERE, (topics.MO_MESSAGE, 1): 8}
    insert(database, mo_message(message_id="a"), key=HANDSET, offset=7)
    insert(database, mo_message(message_id="b"), key=HANDSET, offset=8)
    assert erase(database.writing, HANDSET, before)["mo_message_rows"] == 1
    kept = database.writing.query("SELECT message_id FROM twoway.mo_message").result_rows
    assert kept == [("b",)]
    copied = database.writing.query("SELECT id FROM twoway.conversation_line").result_rows
    assert copied == [("b",)]


def test_an_interrupted_erasure_is_ended_by_the_next(database, tmp_path):
    insert(database, mo_message(), key=HANDSET)
    client = database.writing
    client.command("ALTER TABLE twoway.mo_message_rows MODIFY SETTING old_parts_lifetime = 0")
    client.command(
        f"ALTER TABLE twoway.mo_message_rows DELETE WHERE number = '{NUMBER}'",
        settings={"mutations_sync": 2},
    )
    assert files_with(HANDSET, tmp_path)
    erase(client, HANDSET, EVERYWHERE)
    assert files_with(HANDSET, tmp_path) == []


async def test_the_writer_erases_after_what_was_inserted_before(database):
    writer = ClickHouseWriter(database.writing)
    insert(database, mo_message(), key=HANDSET)
    deleted = await writer.erase(HANDSET, EVERYWHERE)
    writer.close()
    assert deleted["mo_message_rows"] == 1
    assert kafka_record("mo-message", mo_message(), offset=1).timestamp == int(AT.timestamp() * 1e3)
