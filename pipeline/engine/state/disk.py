"""Rows on disk: one RocksDB database for each partition, which is also its checkpoint.

The keys are `table number, key`, as in the changelog, and `0xff, table number, due time, key` for
the index of due times, which the changelog does not have. There are also the point and the mark.
One unit of work is one write batch, so a crash leaves the database at the end of some unit.
Recently used rows are held decoded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from rocksdict import (
    BlockBasedOptions,
    BottommostLevelCompaction,
    Cache,
    CompactOptions,
    DBCompressionType,
    Options,
    Rdict,
    WriteBatch,
    WriteBufferManager,
)

from pipeline.engine.state.disk_store import INDEX, DiskStore
from pipeline.engine.state.rows import Reached

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.engine.state.rows import Changes

FORMAT: Final = 1
CACHE_OCTETS: Final = 384 << 20  # with less, the filters of 16,000,000 rows evict each other
MEMTABLE_OCTETS: Final = 96 << 20

_POINT: Final = b"\x00"
_MARK: Final = b"\x00mark"
_SCRUB: Final = b"\x00scrub"


class Memory:
    """The memory that the databases of one worker share: a block cache and a bound for memtables.

    RocksDB's defaults are for each database, which would be too much for a dozen databases.
    """

    def __init__(self) -> None:
        self._cache = Cache(CACHE_OCTETS)
        self._buffers = WriteBufferManager.new_write_buffer_manager_with_cache(
            MEMTABLE_OCTETS, False, self._cache
        )

    def options(self) -> Options:
        """The options for one database."""
        blocks = BlockBasedOptions()
        blocks.set_block_cache(self._cache)
        blocks.set_cache_index_and_filter_blocks(True)
        blocks.set_pin_l0_filter_and_index_blocks_in_cache(True)
        blocks.set_bloom_filter(10, False)
        options = Options(raw_mode=True)
        options.create_if_missing(True)
        options.set_block_based_table_factory(blocks)
        options.set_write_buffer_manager(self._buffers)
        options.set_write_buffer_size(16 << 20)
        options.set_max_write_buffer_number(3)
        options.set_memtable_prefix_bloom_ratio(0.02)
        options.set_memtable_whole_key_filtering(True)
        options.set_compression_type(DBCompressionType.lz4())
        options.set_max_open_files(128)
        # The manifest holds the first and the last key of each file, so rewrite it at every change.
        options.set_max_manifest_file_size(1)
        options.set_max_background_jobs(2)
        options.set_keep_log_file_num(2)
        options.set_max_log_file_size(1 << 20)
        return options


class DatabaseMark(msgspec.Struct, frozen=True):
    """The identity of a database, its position in the changelog, and the sizes of its tables."""

    format: int
    identity: str
    reached: Reached
    sizes: dict[bytes, int]


class DiskRows:
    """All tables of a partition in one database. Raises RocksDB's errors if it is damaged."""

    def __init__(self, folder: Path, *, identity: str, memory: Memory) -> None:
        self._identity = identity
        self._database = Rdict(str(folder), memory.options())
        try:
            self.mark = self._read_mark()
        except BaseException:
            self._database.close()
            raise
        self.reached = self.mark.reached
        self._stores: dict[bytes, DiskStore] = {}

    def _read_mark(self) -> DatabaseMark:
        octets = self._database.get(_MARK)
        if octets is None:
            return DatabaseMark(FORMAT, self._identity, Reached(), {})
        return msgspec.msgpack.decode(octets, type=DatabaseMark)

    @property
    def point(self) -> bytes | None:
        """The point's row; None if there is none yet."""
        octets: bytes | None = self._database.get(_POINT)
        return octets

    def store(self, number: bytes) -> DiskStore:
        """The rows of a table."""
        if number not in self._stores:
            size = self.mark.sizes.get(number, 0)
            self._stores[number] = DiskStore(self._database, number, size)
        return self._stores[number]

    def write(
        self, changes: Changes, *, point: bytes | None, reached: Reached | None, scrub: bytes = b""
    ) -> None:
        """Write `changes`, the point and the position in the changelog, in one write batch."""
        batch = WriteBatch(raw_mode=True)
        for number, rows in changes.items():
            if rows:
                self.store(number).put_into(batch, rows)
        if point is not None:
            batch.put(_POINT, point)
        if scrub:
            asked = self._database.get(_SCRUB) or b""
            batch.put(_SCRUB, bytes(sorted({*asked, *scrub})))
        self.reached = self.reached if reached is None else reached
        sizes = {number: len(store) for number, store in self._stores.items()}
        mark = DatabaseMark(FORMAT, self._identity, self.reached, sizes)
        batch.put(_MARK, msgspec.msgpack.encode(mark))
        self._database.write(batch)
        for number, rows in changes.items():
            self.store(number).remember(rows)

    def scrub(self) -> None:
        """Rewrite the tables that `write` named for it, without replaced and removed rows.

        It always rewrites a whole table, because RocksDB's log names the bounds of the rewrite, and
        a bound must not be a handset's number.
        """
        numbers: bytes = self._database.get(_SCRUB) or b""
        if not numbers:
            return
        self._database.flush(True)  # so that the write-ahead log with old rows is deleted
        wholly = CompactOptions()
        wholly.set_bottommost_level_compaction(BottommostLevelCompaction.force())
        for number in numbers:
            for first in (bytes([number]), INDEX + bytes([number])):
                after = first[:-1] + bytes([number + 1])
                self._database.compact_range(first, after, wholly)
            self.store(bytes([number])).forget_held()
        self._database.delete(_SCRUB)
        # The list of files begins with those before its last change, and their first and last keys:
        # with one more change it begins with those that were just written.
        self._database.flush(True)

    def close(self) -> None:
        """Close the database."""
        self._database.close()
