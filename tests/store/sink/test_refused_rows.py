"""Rows that the real engine refuses for their content become dead letters; others are stored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from pipeline.engine.batch import Batch
from pipeline.kafka import topics
from pipeline.records import MtResult
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.sink.lane import BlockLimits
from pipeline.store.sink.sink import Sink
from tests.store.kafka_fake import FakeOffsets, Fuse
from tests.store.samples import SAMPLES, kafka_record

if TYPE_CHECKING:
    from pipeline.store.clickhouse.database import Database

RESULT = next(each for each in SAMPLES if isinstance(each, MtResult))
ROWS = 9


class Unchecked(ClickHouseWriter):
    """Changes one row after our own checks, so that the engine refuses it."""

    def __init__(self, client: Any, column: str, value: object, offset: int) -> None:
        super().__init__(client)
        self._change = column, value, offset

    async def insert(self, rows: Any, *, tag: str) -> None:
        column, value, offset = self._change
        if rows.table == "mt_result_rows":
            at, place = rows.columns.index(column), rows.columns.index("kafka_offset")
            changed = [
                (*row[:at], value, *row[at + 1 :]) if row[place] == offset else row
                for row in rows.rows
            ]
            rows = type(rows)(rows.table, rows.columns, changed)
        await super().insert(rows, tag=tag)


async def stored(writer: ClickHouseWriter, values: list[Any]) -> FakeOffsets:
    tp = (topics.MT_RESULT, 0)
    offsets = FakeOffsets(Fuse())
    sink = Sink(writer=writer, limits=BlockLimits(rows=len(values), seconds=0.0))
    sink.start(offsets)
    await sink.assigned([tp])
    records = [kafka_record(tp[0], value, offset=at) for at, value in enumerate(values)]
    await sink.add(Batch(*tp, records, 0, len(values)))
    async with asyncio.timeout(60):
        while offsets.positions.get(tp, (0, ""))[0] < len(values):
            await offsets.moved.wait()
            offsets.moved.clear()
    await sink.revoked()
    return offsets


def places(database: Database, table: str, where: str = "1") -> list[int]:
    asked = f"SELECT kafka_offset FROM twoway.{table} WHERE {where} ORDER BY kafka_offset"
    return [offset for (offset,) in database.writing.query(asked).result_rows]


@pytest.mark.parametrize(
    ("column", "value", "offset"),
    [
        pytest.param("attempt", 1 << 40, 0, id="an-integer-of-41-bits-first"),
        pytest.param("attempt", -(1 << 63), ROWS - 1, id="an-integer-of-64-bits-last"),
        pytest.param("attempt", "three", 4, id="words-for-an-integer"),
        pytest.param("attempt", None, 5, id="nothing-for-an-integer"),
        pytest.param("handset", 7, 3, id="an-integer-for-a-text"),
        pytest.param("at", "yesterday", 2, id="words-for-a-time"),
    ],
)
async def test_a_row_that_the_engine_refuses_is_a_letter_and_the_others_are_stored(
    database: Database, column: str, value: object, offset: int
) -> None:
    database.writing.command("TRUNCATE TABLE twoway.mt_result_rows")
    database.writing.command("TRUNCATE TABLE twoway.dead_letter_rows")
    writer = Unchecked(database.writing, column, value, offset)
    command = f"{column}-{offset}-{value}"
    await stored(
        writer,
        [msgspec.structs.replace(RESULT, command_id=f"{command}-{at}") for at in range(ROWS)],
    )
    assert places(database, "mt_result_rows") == [at for at in range(ROWS) if at != offset]
    letters = database.writing.query(
        "SELECT stage, topic, offset FROM twoway.dead_letter"
    ).result_rows
    assert letters == [("store", topics.MT_RESULT, offset)]
