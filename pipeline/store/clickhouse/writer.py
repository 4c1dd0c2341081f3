"""Inserts, one after another, in a thread of their own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Final, Protocol

from pipeline.store import metrics
from pipeline.store.clickhouse.delete import erase

if TYPE_CHECKING:
    from collections.abc import Mapping

    from clickhouse_connect.driver.client import Client

    from pipeline.store.decoding import TableRows

#: One insert is one block with one token, however large and however odd its rows' times.
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
    """Where blocks go: ClickHouse, or what a test has in its place."""

    async def insert(self, rows: TableRows, *, tag: str) -> None:
        """Insert the rows, unless a block with this token was inserted before."""

    async def erase(self, handset: str, before: Mapping[tuple[str, int], int]) -> dict[str, int]:
        """Delete the handset's rows below these offsets for good; how many, by table."""


class ClickHouseWriter:
    """Inserts through one client, which is not to be used beside it."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="clickhouse-writer")
        self._types = cache(self._types_of)

    async def insert(self, rows: TableRows, *, tag: str) -> None:
        """Insert the rows, unless a block with this token was inserted before."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._thread, self._insert, rows, tag)

    async def erase(self, handset: str, before: Mapping[tuple[str, int], int]) -> dict[str, int]:
        """Delete the handset's rows below these offsets for good; how many, by table."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, erase, self._client, handset, before)

    def _insert(self, rows: TableRows, tag: str) -> None:
        with metrics.INSERT_SECONDS.time():
            self._client.insert(
                rows.table,
                list(zip(*rows.rows, strict=True)),
                column_names=rows.columns,
                column_type_names=self._types(rows.table, rows.columns),
                column_oriented=True,
                settings={**_INSERTING, "insert_deduplication_token": tag},
            )

    def _types_of(self, table: str, columns: tuple[str, ...]) -> list[str]:
        described = self._client.query(f"DESCRIBE TABLE twoway.{table}").result_rows
        types = {row[0]: row[1] for row in described}
        return [types[column] for column in columns]

    def close(self) -> None:
        """Wait for the insert that is running, and end the thread."""
        self._thread.shutdown(cancel_futures=True)
