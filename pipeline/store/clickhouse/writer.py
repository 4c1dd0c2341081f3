"""Inserts blocks one after another, in a separate thread."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

from pipeline.store import metrics
from pipeline.store.clickhouse.answers import AnswerUnreadable, reading_an_answer
from pipeline.store.clickhouse.delete import erase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clickhouse_connect.driver.client import Client

    from pipeline.store.decoding import TableRows

#: One insert is always one block with one token, however large it is.
_INSERTING: Final = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    "max_insert_block_size": 1_000_000,
    "min_insert_block_size_rows": 1_000_000,
    "min_insert_block_size_bytes": 256 << 20,
    # A store that catches up may have records of many months; a block of such must not stop it.
    "max_partitions_per_insert_block": 0,
}


class Writer(Protocol):
    """Writes blocks to ClickHouse, or to a test double."""

    async def insert(self, rows: TableRows, *, tag: str) -> None:
        """Insert the rows, unless a block with this token was inserted before."""

    async def erase(self, handset: str, before: Mapping[tuple[str, int], int]) -> dict[str, int]:
        """Delete the handset's rows below these offsets for good; returns the number by table."""


class ClickHouseWriter:
    """Inserts through one client. No other code may use this client."""

    def __init__(self, client: Client, *, is_server: bool = False) -> None:
        self._client = client
        self._is_server = is_server
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="clickhouse-writer")
        self._types = cache(self._types_of)

    async def insert(self, rows: TableRows, *, tag: str) -> None:
        """Insert the rows, unless a block with this token was inserted before."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._insert, rows, tag)

    async def erase(self, handset: str, before: Mapping[tuple[str, int], int]) -> dict[str, int]:
        """Delete the handset's rows below these offsets for good; how many, by table."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._erase, handset, before)

    def _insert(self, rows: TableRows, tag: str) -> None:
        with metrics.INSERT_SECONDS.time():
            summary = self._client.insert(
                rows.table,
                list(zip(*rows.rows, strict=True)),
                column_names=rows.columns,
                column_type_names=self._types(rows.table, rows.columns),
                column_oriented=True,
                settings={**_INSERTING, "insert_deduplication_token": tag},
            )
        if self._is_server and not summary.query_id():
            # A proxy's own page for what it cannot reach says 200, too.
            raise AnswerUnreadable("the answer to an insert names no query")

    def _erase(self, handset: str, before: Mapping[tuple[str, int], int]) -> dict[str, int]:
        with reading_an_answer():
            return erase(self._client, handset, before)

    def _types_of(self, table: str, columns: tuple[str, ...]) -> list[str]:
        with reading_an_answer():
            described = self._client.query(f"DESCRIBE TABLE twoway.{table}").result_rows
            types = {row[0]: row[1] for row in described}
            return [types[column] for column in columns]

    def close(self) -> None:
        """Wait for the running insert, and end the thread."""
        self._thread.shutdown(cancel_futures=True)
