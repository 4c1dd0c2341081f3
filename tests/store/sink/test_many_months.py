"""Records that state times of 672 months: every row is stored, and there are few files."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pipeline.avro.single_object import snake_from_camel
from pipeline.kafka import topics
from pipeline.kafka.readers import OURS_ALONE
from pipeline.records import MoMessage
from pipeline.store.clickhouse.repartition import KEY
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.decoding import KIND_OF, TABLE_OF, TableRows
from pipeline.store.rows import STORED, columns_of, row_from_record
from tests.store.samples import AT_MS, SAMPLES, mo_message

if TYPE_CHECKING:
    from pipeline.records import Record
    from pipeline.store.clickhouse.database import Database

MONTHS = 672
OFFSET = "kafka_offset"
BLOCKS = 5
MOST_FILES = 60  # of a part; a column has two
TIMES = [datetime(1970 + month // 12, month % 12 + 1, 3, tzinfo=UTC) for month in range(MONTHS)]


def stating(record: Record, at: datetime) -> Record:
    """The sample, with this time in every field."""
    times: dict[str, Any] = {
        name: at for name in record.__struct_fields__ if isinstance(getattr(record, name), datetime)
    }
    return msgspec.structs.replace(record, **times)


def files_in(folder: str) -> int:
    return len(list(Path(folder).iterdir()))


@pytest.mark.parametrize("record", SAMPLES, ids=[type(each).__name__ for each in SAMPLES])
async def test_rows_of_672_months_are_stored_in_a_part_a_block(
    database: Database, record: Record
) -> None:
    kind = type(record)
    table = TABLE_OF[kind]
    writer = ClickHouseWriter(database.writing)
    for block in range(BLOCKS):
        rows = [
            row_from_record(
                stating(record, at),
                key=b"447700900001",
                partition=block,
                offset=place,
                written_ms=AT_MS,
            )
            for place, at in enumerate(TIMES)
        ]
        await writer.insert(TableRows(table, columns_of(kind), rows), tag=f"months {block}")
    writer.close()
    ((stored,),) = database.writing.query(
        f"SELECT uniqExact(kafka_offset) FROM twoway.{snake_from_camel(kind.__name__)}"
    ).result_rows
    assert stored == MONTHS
    parts = database.writing.query(
        f"SELECT path FROM system.parts WHERE table = '{table}' AND active"
    ).result_rows
    assert len(parts) <= BLOCKS
    assert max(files_in(path) for (path,) in parts) <= MOST_FILES


def test_every_table_is_partitioned_by_the_month_of_kafkas_time(database: Database) -> None:
    found = database.writing.query(
        "SELECT name, partition_key FROM system.tables"
        " WHERE database = 'twoway' AND partition_key != ''"
    ).result_rows
    copies = dict.fromkeys(("conversation_line_rows", "review_line_rows"), KEY)
    assert dict(found) == {TABLE_OF[kind]: KEY for kind in STORED} | copies


def test_nobody_outside_can_state_kafkas_time() -> None:
    """The topics that others may write have the broker's time, not the producer's."""
    stated = {name for name in KIND_OF if not topics.topics()[name].log_append_time}
    assert stated <= OURS_ALONE


def granules_read(database: Database, where: str) -> tuple[int, int]:
    """How many granules of mo_message a question reads, and how many there are."""
    explained = database.writing.query(
        f"EXPLAIN indexes = 1 SELECT count() FROM twoway.mo_message WHERE {where}"
    ).result_rows
    lines = [str(line).strip() for (line,) in explained]
    counts = [
        line.removeprefix("Granules: ").split("/") for line in lines if line.startswith("Granules:")
    ]
    return int(counts[-1][0]), int(counts[0][1])


async def test_a_range_of_gateway_times_is_found_by_an_index(database: Database) -> None:
    """One of five months is read, although a message in each month states 1970."""
    database.writing.command("TRUNCATE TABLE twoway.mo_message_rows")
    writer = ClickHouseWriter(database.writing)
    columns = columns_of(MoMessage)
    varied = [columns.index(name) for name in ("message_id", "number", "gateway_time", OFFSET)]
    for month in range(1, 6):
        times = [datetime(2026, month, place % 28 + 1, tzinfo=UTC) for place in range(40_000)]
        written_ms = int(times[0].timestamp()) * 1_000
        first = row_from_record(mo_message(), key=b"", partition=0, offset=0, written_ms=written_ms)
        rows = []
        for place, at in enumerate([TIMES[0], *times]):
            row = list(first)
            own = (f"{place}", f"27{place % 999}", at, place)
            for column, value in zip(varied, own, strict=True):
                row[column] = value
            rows.append(row)
        await writer.insert(TableRows("mo_message_rows", columns, rows), tag=f"month {month}")
    writer.close()
    read, there = granules_read(
        database, "gateway_time >= '2026-03-07 00:00:00' AND gateway_time < '2026-03-09 00:00:00'"
    )
    assert there / 6 < read <= there / 5 + 5
    assert granules_read(database, "gateway_time < '1980-01-01 00:00:00'")[0] <= 10
