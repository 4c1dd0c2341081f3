"""Deletes a handset's rows from ClickHouse for good: rewrites the parts and removes the old ones.

ClickHouse keeps the text of a mutation in the table's folder, so the text must not hold the number.
The number is in a table in memory, and the mutation names that table.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from pipeline.store.decoding import KIND_OF, TABLE_OF
from pipeline.whose.in_sql import HandsetTest, where
from pipeline.whose.rules import COPIES, OF_RECORD

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from clickhouse_connect.driver.client import Client

    from pipeline.records import Record

log = logging.getLogger(__name__)

_THEM: Final = HandsetTest(
    is_one="IN (SELECT handset FROM twoway.erasing)",
    array="(SELECT groupArray(handset) FROM twoway.erasing)",
)
_OUTDATED: Final = """SELECT count() FROM system.parts
WHERE database = 'twoway' AND table = {table:String} AND NOT active"""
_TRIES: Final = 100
_AGAIN_SECONDS: Final = 0.1
_NONE_SUCH: Final = "000000"  # toYYYYMM gives no such partition


def erase(client: Client, handset: str, before: Mapping[tuple[str, int], int]) -> dict[str, int]:
    """Delete the handset's rows below the offsets `before`; returns their number by table.

    `before` is by (topic, partition). Rows of a topic that it does not name are all deleted. A
    repeated call deletes nothing more.
    """
    client.command("TRUNCATE TABLE twoway.erasing")
    client.insert("erasing", [[handset]], column_names=["handset"], column_type_names=["String"])
    theirs = {
        topic: _where_before(topic, kind, before)
        for topic, kind in KIND_OF.items()
        if kind in OF_RECORD
    }
    tables = {TABLE_OF[KIND_OF[topic]]: rows for topic, rows in theirs.items()}
    tables |= {table: _where_copied(kinds, theirs) for table, kinds in COPIES.items()}
    try:
        return {table: _erase_from(client, table, rows) for table, rows in tables.items()}
    finally:
        client.command("TRUNCATE TABLE twoway.erasing")


def _where_copied(kinds: Collection[type[Record]], theirs: Mapping[str, str]) -> str:
    topics = [topic for topic, kind in KIND_OF.items() if kind in kinds]
    if len(topics) == 1:
        return theirs[topics[0]]
    return " OR ".join(f"(record = '{topic}' AND ({theirs[topic]}))" for topic in topics)


def _where_before(topic: str, kind: type[Record], before: Mapping[tuple[str, int], int]) -> str:
    ends = {partition: end for (name, partition), end in before.items() if name == topic}
    if not ends:
        return where(kind, _THEM)
    partitions = ", ".join(f"toInt32({partition})" for partition in ends)
    offsets = ", ".join(f"toInt64({end})" for end in ends.values())
    below = f"transform(kafka_partition, [{partitions}], [{offsets}], toInt64(0))"
    return f"({where(kind, _THEM)}) AND kafka_offset < {below}"


def _erase_from(client: Client, table: str, where: str) -> int:
    count = f"SELECT count() FROM twoway.{table} WHERE {where}"  # noqa: S608  names of ours
    rows = int(client.query(count).result_rows[0][0])
    if not rows and not _was_interrupted(client, table):
        return 0
    # Remove old parts at once. By default ClickHouse keeps them for eight minutes.
    client.command(f"ALTER TABLE twoway.{table} MODIFY SETTING old_parts_lifetime = 0")
    client.command(
        f"ALTER TABLE twoway.{table} DELETE WHERE {where}", settings={"mutations_sync": 2}
    )
    _remove_old_parts(client, table)
    client.command(f"ALTER TABLE twoway.{table} RESET SETTING old_parts_lifetime")
    return rows


def _remove_old_parts(client: Client, table: str) -> None:
    """Remove the parts that were replaced, once no query reads them any more."""
    for _ in range(_TRIES):
        # This partition does not exist; the statement makes ClickHouse remove outdated parts now.
        client.command(f"ALTER TABLE twoway.{table} DROP PARTITION ID '{_NONE_SUCH}'")
        outdated = client.query(_OUTDATED, parameters={"table": table}).result_rows
        if not outdated[0][0]:
            return
        time.sleep(_AGAIN_SECONDS)
    log.warning("old parts of %s are still being read; ClickHouse removes them later", table)


def _was_interrupted(client: Client, table: str) -> bool:
    """Whether an erasure of this table began and did not end."""
    found = client.query(
        "SELECT engine_full LIKE '%old_parts_lifetime = 0%' FROM system.tables"
        " WHERE database = 'twoway' AND name = {table:String}",
        parameters={"table": table},
    )
    return bool(found.result_rows[0][0])
