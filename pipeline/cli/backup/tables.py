"""Saves the rows of ClickHouse's tables, and inserts them again.

Tables are read in ranges of Kafka's offsets. A range has a digest that ClickHouse computes of the
rows, whatever their order. What follows from other tables by views is not saved.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from clickhouse_connect.driver.exceptions import DatabaseError

from pipeline.cli.backup.manifest import SavedRange, SavedTable, table_path
from pipeline.cli.terminal.failure import CommandError
from pipeline.store.clickhouse.answers import read_whole, reading_an_answer
from pipeline.store.clickhouse.database import RESULT_OCTETS
from pipeline.store.decoding import KIND_OF, NO_PLACE, TABLE_OF

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from clickhouse_connect.driver.client import Client

    from pipeline.store.clickhouse.database import Database

#: The tables of records, by topic.
SAVED_TABLES: Final = {topic: TABLE_OF[kind] for topic, kind in KIND_OF.items()}
_ROWS: Final = 20_000  # about as many in a range
_TOO_MUCH: Final = 396  # TOO_MANY_ROWS_OR_BYTES (ClickHouse's src/Common/ErrorCodes.cpp)
_NATIVE: Final = "Native"
_INSERTING: Final = {
    "async_insert": 0,
    "insert_deduplicate": 0,
    "max_partitions_per_insert_block": 0,
}


@contextmanager
def reading_tables(database: Database) -> Iterator[Client]:
    """A client that reads all tables of a backup, one after another; to open one takes a while."""
    client = database.reading()
    try:
        yield client
    finally:
        database.drop(client)


def save_table(
    database: Database, client: Client, table: str, *, below: Mapping[int, int], folder: Path
) -> SavedTable:
    """Write the rows of a table that were read below these offsets, by partition of Kafka.

    A row above is of a block that the store has not committed: it will come again. Rows that the
    store made itself have no partition, and are kept.
    """
    path = table_path(folder, table)
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = inserted_columns(client, table)
    digest = hashlib.sha256()
    ranges: list[SavedRange] = []
    with path.open("wb") as file:
        for partition, first, last in _ranges_of(client, table, below):
            for saved, octets in _pieces(
                database, client, table, columns, (partition, first, last)
            ):
                file.write(octets)
                digest.update(octets)
                ranges.append(saved)
    return SavedTable(columns, ranges, digest.hexdigest())


def insert_table(
    database: Database, client: Client, table: str, saved: SavedTable, folder: Path
) -> None:
    """Insert the rows of a backup; raises `CommandError` if other rows are there afterwards."""
    with table_path(folder, table).open("rb") as file:
        for each in saved.ranges:
            database.writing.raw_insert(
                f"twoway.{table}",
                column_names=saved.columns,
                insert_block=file.read(each.length),
                fmt=_NATIVE,
                settings=_INSERTING,
            )
    for each in saved.ranges:
        here = (each.partition, each.first, each.last)
        if _measured(client, table, saved.columns, here) != (each.rows, each.digest):
            raise CommandError(
                f"{table} has other rows than were saved, at offsets {each.first} to"
                f" {each.last} of partition {each.partition}: does another program write there?"
            )


def inserted_columns(client: Client, table: str) -> list[str]:
    """The columns of a table that hold what was inserted."""
    described = client.query(f"DESCRIBE TABLE twoway.{table}").result_rows
    return [row[0] for row in described if row[2] in ("", "DEFAULT")]


def tables_with_rows(database: Database) -> list[str]:
    """The tables of records that are not empty."""
    return [
        table
        for table in sorted(set(SAVED_TABLES.values()))
        if database.writing.query(f"SELECT count() FROM twoway.{table}").result_rows[0][0]  # noqa: S608  names of ours
    ]


def empty_tables(database: Database) -> None:
    """Remove every row, also what follows from it."""
    found = database.writing.query(
        "SELECT name FROM system.tables WHERE database = 'twoway' AND endsWith(name, '_rows')"
    ).result_rows
    for (name,) in found:
        database.writing.command(f"TRUNCATE TABLE twoway.{name}")


def _ranges_of(
    client: Client, table: str, below: Mapping[int, int]
) -> Iterator[tuple[int, int, int]]:
    """Partition, first and last offset of each range."""
    asked = "kafka_partition, min(kafka_offset), max(kafka_offset), count()"
    found = client.query(
        f"SELECT {asked} FROM twoway.{table} GROUP BY 1 ORDER BY 1"  # noqa: S608  names of ours
    ).result_rows
    for partition, first, highest, rows in found:
        last = highest if partition == NO_PLACE else min(highest, below.get(partition, 0) - 1)
        step = max(1, (highest - first + 1) * _ROWS // rows)
        for begin in range(first, last + 1, step):
            yield partition, begin, min(begin + step - 1, last)


def _pieces(
    database: Database, client: Client, table: str, columns: list[str], here: tuple[int, int, int]
) -> Iterator[tuple[SavedRange, bytes]]:
    """The rows of a range; halved as long as an answer would be too large."""
    partition, first, last = here
    try:
        octets = _native(database, client, f"SELECT {_listed(columns)} {_from(table, here)}")
    except DatabaseError as error:
        if getattr(error, "code", None) != _TOO_MUCH or first == last:
            raise
        middle = (first + last) // 2
        yield from _pieces(database, client, table, columns, (partition, first, middle))
        yield from _pieces(database, client, table, columns, (partition, middle + 1, last))
        return
    rows, digest = _measured(client, table, columns, here)
    if rows:
        yield SavedRange(partition, first, last, rows, digest, len(octets)), octets


def _native(database: Database, client: Client, sql: str) -> bytes:
    """The rows of an answer in ClickHouse's own form."""
    if database.is_embedded:
        return bytes(client.raw_query(sql, fmt=_NATIVE))
    whole = {"wait_end_of_query": 1}  # an error is a status, and not the end of an answer
    with reading_an_answer():
        answer = client.raw_stream(sql, fmt=_NATIVE, settings=whole)
        return read_whole(answer, octets=RESULT_OCTETS)


def _measured(
    client: Client, table: str, columns: list[str], here: tuple[int, int, int]
) -> tuple[int, int]:
    hashed = f"sum(cityHash64(toString(tuple({_listed(columns)}))))"
    asked = f"SELECT count(), {hashed} {_from(table, here)}"
    rows, digest = client.query(asked).result_rows[0]
    return int(rows), int(digest)


def _listed(columns: list[str]) -> str:
    return ", ".join(f"`{column}`" for column in columns)


def _from(table: str, here: tuple[int, int, int]) -> str:
    partition, first, last = here
    where = f"kafka_partition = {partition} AND kafka_offset BETWEEN {first} AND {last}"
    return f"FROM twoway.{table} FINAL WHERE {where}"
