"""Moves tables to partitions by the month of `written_at`; may be killed anywhere and run again.

The key of a table cannot be altered. So a table swaps its name with an empty table of the new key.
Then its rows follow, some partitions at a time: they are copied, synced to the disk, and only then
dropped. After a kill some rows are copied twice. They have one sorting key and one partition, so a
view shows them once and a merge makes them one.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from clickhouse_connect.driver.client import Client

log = logging.getLogger(__name__)

KEY: Final = "toYYYYMM(written_at)"
#: The table with the rows that have not been moved yet.
MOVING: Final = "_moving"
#: So many rows or one partition are on the disk twice at a time.
ROWS_AT_ONCE: Final = 5_000_000

_TABLES: Final = """SELECT name, partition_key, engine_full FROM system.tables
WHERE database = 'twoway' AND engine = 'ReplacingMergeTree' AND (database, name) IN
    (SELECT database, table FROM system.columns WHERE name = 'written_at')"""
_PARTITIONS: Final = """SELECT partition_id, sum(rows) FROM system.parts
WHERE database = 'twoway' AND table = {table:String} AND active
GROUP BY partition_id ORDER BY partition_id"""
_COLUMNS: Final = """SELECT name FROM system.columns
WHERE database = 'twoway' AND table = {table:String} AND name != 'written_at' ORDER BY position"""
_INSTALLED: Final = "SELECT min(applied_at) FROM twoway.migrations"
_COPYING: Final = {
    "async_insert": 0,
    "insert_deduplicate": 0,
    "max_partitions_per_insert_block": 0,
}
_DROPPING: Final = {"max_table_size_to_drop": 0, "max_partition_size_to_drop": 0}


@dataclass(frozen=True)
class _Table:
    name: str
    partition_key: str
    engine: str


def repartition(client: Client) -> None:
    """Move every table with `written_at` that is not partitioned by it, or not completely moved."""
    tables = {name: _Table(name, key, engine) for name, key, engine in _rows(client, _TABLES)}
    for name, table in tables.items():
        if name.endswith(MOVING):
            continue
        moving = f"{name}{MOVING}"
        if table.partition_key != KEY:
            _change_names(client, table, moving)
        elif moving not in tables:
            continue
        _move(client, moving, name)
        client.command(f"DROP TABLE twoway.{moving} SYNC", settings=_DROPPING)


def _change_names(client: Client, table: _Table, moving: str) -> None:
    """Give the name to an empty table with the new key; the rows are in `moving` then."""
    engine = table.engine.replace(f"PARTITION BY {table.partition_key}", f"PARTITION BY {KEY}")
    client.command(
        f"CREATE TABLE IF NOT EXISTS twoway.{moving} AS twoway.{table.name} ENGINE = {engine}"
    )
    client.command(f"EXCHANGE TABLES twoway.{table.name} AND twoway.{moving}")


def _move(client: Client, source: str, target: str) -> None:
    columns = ", ".join(f"`{name}`" for (name,) in _rows(client, _COLUMNS, table=source))
    # Nothing was written before the first migration, nor will be; a stated time may say otherwise.
    copy = f"""INSERT INTO twoway.{target} ({columns}, written_at)
SELECT {columns}, greatest(least(written_at, now64(3, 'UTC')), ({_INSTALLED}))
FROM twoway.{source} WHERE _partition_id IN """  # noqa: S608  names of ours
    partitions = _rows(client, _PARTITIONS, table=source)
    for ids, rows in _chunks(partitions):
        listed = ", ".join(f"'{each}'" for each in ids)
        client.command(f"{copy} ({listed})", settings=_COPYING)
        client.command("SYSTEM SYNC FILE CACHE")  # sync(2): the copy outlives a power cut
        drops = ", ".join(f"DROP PARTITION ID '{each}'" for each in ids)
        client.command(f"ALTER TABLE twoway.{source} {drops}", settings=_DROPPING)
        log.info("%s: %d rows of %d partitions are moved", target, rows, len(ids))
    ((left,),) = _rows(client, f"SELECT count() FROM twoway.{source}")  # noqa: S608  names of ours
    if left:
        raise RuntimeError(
            f"{left} rows came into {source} while it was moved: end the other store, and start"
            " this one again"
        )


def _chunks(partitions: Sequence[Sequence[Any]]) -> Iterator[tuple[list[str], int]]:
    """Partitions to move together, and the number of their rows: one large or some small ones."""
    ids: list[str] = []
    total = 0
    for each, rows in partitions:
        if ids and total + rows > ROWS_AT_ONCE:
            yield ids, total
            ids, total = [], 0
        ids.append(each)
        total += rows
    if ids:
        yield ids, total


def _rows(client: Client, sql: str, **parameters: str) -> Sequence[Sequence[Any]]:
    return client.query(sql, parameters=parameters).result_rows
