"""Messages of 672 months: every row is stored, and the parts are one a month and block at most."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.records import MoMessage
from pipeline.store.clickhouse.writer import ClickHouseWriter
from pipeline.store.decoding import TABLE_OF, TableRows
from pipeline.store.rows import columns_of, row_from_record
from tests.store.samples import mo_message

if TYPE_CHECKING:
    from pipeline.store.clickhouse.database import Database

MONTHS = 672
BLOCKS = 2


async def test_rows_of_672_months_are_all_stored_in_parts_that_are_bounded(
    database: Database,
) -> None:
    writer = ClickHouseWriter(database.writing)
    times = [datetime(1970 + month // 12, month % 12 + 1, 3, tzinfo=UTC) for month in range(MONTHS)]
    for block in range(BLOCKS):
        rows = [
            row_from_record(
                mo_message(message_id=f"{block}-{place}", gateway_time=at),
                key=b"",
                partition=block,
                offset=place,
            )
            for place, at in enumerate(times)
        ]
        await writer.insert(
            TableRows(TABLE_OF[MoMessage], columns_of(MoMessage), rows), tag=f"months {block}"
        )
    found = database.writing.query(
        "SELECT kafka_partition, count(), uniqExact(gateway_time), min(gateway_time)"
        " FROM twoway.mo_message GROUP BY ALL ORDER BY ALL"
    ).result_rows
    assert [row[:3] for row in found] == [(block, MONTHS, MONTHS) for block in range(BLOCKS)]
    parts = "FROM system.parts WHERE table = 'mo_message_rows' AND active"
    ((count, months),) = database.writing.query(
        f"SELECT count(), uniqExact(partition) {parts}"
    ).result_rows
    assert months == MONTHS
    assert count <= BLOCKS * MONTHS

    database.writing.command("OPTIMIZE TABLE twoway.mo_message_rows FINAL")
    ((count,),) = database.writing.query(f"SELECT count() {parts}").result_rows
    assert count == MONTHS
    ((rows_left,),) = database.writing.query("SELECT count() FROM twoway.mo_message").result_rows
    assert rows_left == BLOCKS * MONTHS
    writer.close()
