"""Rows on disk: one RocksDB database a partition, which is at the same time its checkpoint.

Keys: `table number, key` as in the changelog; `0xff, table number, due time, key` for the index of
due times, which the changelog does not know; and the point and the mark below. One unit of work is
one write batch, so that a crash leaves the database at the end of some unit, whichever. Recently
used rows are held decoded.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

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

from pipeline.engine.tables import Reached, Row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipeline.engine.tables import Changes

FORMAT: Final = 1
CACHE_OCTETS: Final = 384 << 20  # below it, filters of 16,000,000 rows push each other out
MEMTABLE_OCTETS: Final = 96 << 20
RECENT_ROWS: Final = 16_000

_POINT: Final = b"\x00"
_MARK: Final = b"\x00mark"
_SCRUB: Final = b"\x00scrub"
_INDEX: Final = b"\xff"
_DUE: Final = struct.Struct(">Q")
_NO_TIME: Final = (1 << 64) - 1


class Memory:
    """What the databases of one worker share: a cache of blocks, and a bound for what is unwritten.

    RocksDB's own defaults hold for each database, which is too much for a dozen.
    """

    def __init__(self) -> None:
        self._cache = Cache(CACHE_OCTETS)
        self._buffers = WriteBufferManager.new_write_buffer_manager_with_cache(
            MEMTABLE_OCTETS, False, self._cache
        )

    def options(self) -> Options:
        """For one database."""
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
        # The first and the last key of each file stand in it: written anew at every change.
        options.set_max_manifest_file_size(1)
        options.set_max_background_jobs(2)
        options.set_keep_log_file_num(2)
        options.set_max_log_file_size(1 << 20)
        return options


class Mark(msgspec.Struct, frozen=True):
    """What a database is, and how far it goes."""

    format: int
    identity: str
    reached: Reached
    sizes: dict[bytes, int]


class DiskStore:
    """The committed rows of one table."""

    def __init__(self, database: Rdict, number: bytes, size: int) -> None:
        self._database = database
        self._number = number
        self._index = _INDEX + number
        self._size = size
        self._recent: dict[bytes, Row | None] = {}
        self._earlier: dict[bytes, Row | None] = {}
        self._first = 0  # no row falls due before this

    def __len__(self) -> int:
        return self._size

    def get(self, key: bytes) -> Row | None:
        """The row of `key`, if there is one."""
        if key in self._recent:
            return self._recent[key]
        if key in self._earlier:
            row = self._earlier[key]
        else:
            row = _row(self._database.get(self._number + key))
        self._recent[key] = row
        self._bound()
        return row

    def keys(self, prefix: bytes) -> list[bytes]:
        """The keys that begin so."""
        begin = self._number + prefix
        entries = self._database.iter()
        entries.seek(begin)
        found = []
        while entries.valid() and entries.key().startswith(begin):
            found.append(entries.key()[1:])
            entries.next()
        return found

    def forget_held(self) -> None:
        """Hold no row decoded."""
        self._recent, self._earlier = {}, {}

    def due(self, until: int, at_most: int) -> list[tuple[int, bytes]]:
        """Due time and key of the rows due at or before `until`, the earliest `at_most`."""
        found: list[tuple[int, bytes]] = []
        if self._first > until:
            return found
        entries = self._database.iter()
        entries.seek(self._index + _DUE.pack(self._first))
        while (entry := self._entry(entries)) is not None and entry[0] <= until:
            if len(found) == at_most:
                break
            found.append(entry)
            entries.next()
        first = found[0] if found else entry
        self._first = _NO_TIME if first is None else first[0]
        return found

    def first_due(self) -> int | None:
        """The earliest due time, if any."""
        if self._first == _NO_TIME:
            return None
        entries = self._database.iter()
        entries.seek(self._index + _DUE.pack(self._first))
        entry = self._entry(entries)
        self._first = _NO_TIME if entry is None else entry[0]
        return None if entry is None else entry[0]

    def _entry(self, entries: Any) -> tuple[int, bytes] | None:
        if not entries.valid():
            return None
        key = entries.key()
        if not key.startswith(self._index):
            return None
        return _DUE.unpack_from(key, 2)[0], key[2 + _DUE.size :]

    def put_into(self, batch: WriteBatch, rows: Mapping[bytes, Row | None]) -> None:
        """Add `rows` and their due times to a write batch."""
        number, recent = self._number, self._recent
        rest = self._not_recent(rows)
        put = batch.put
        for key, row in rows.items():
            old = recent[key] if key in recent else rest[key]
            old_due = 0 if old is None else old.due
            if row is None:
                if old is not None:
                    batch.delete(number + key)
                    self._size -= 1
            else:
                put(number + key, row.octets())
                if old is None:
                    self._size += 1
            due = 0 if row is None else row.due
            if due == old_due:
                continue
            if old_due:
                batch.delete(self._index + _DUE.pack(old_due) + key)
            if due:
                put(self._index + _DUE.pack(due) + key, b"")
                self._first = min(self._first, due)

    def remember(self, rows: Mapping[bytes, Row | None]) -> None:
        """Hold rows that are now committed."""
        self._recent.update(rows)
        self._bound()

    def _not_recent(self, keys: Mapping[bytes, Any]) -> dict[bytes, Row | None]:
        """The rows of those keys that the younger generation has not."""
        rest: dict[bytes, Row | None] = {}
        unread = []
        for key in keys:
            if key in self._recent:
                continue
            if key in self._earlier:
                rest[key] = self._earlier[key]
            else:
                unread.append(key)
        if unread:
            number = self._number
            read = self._database.get([number + key for key in unread]) or ()
            rest.update(zip(unread, map(_row, read), strict=True))
        return rest

    def _bound(self) -> None:
        """Two generations: what is used again in the younger one outlives the older."""
        if len(self._recent) >= RECENT_ROWS:
            self._recent, self._earlier = {}, self._recent


class DiskRows:
    """All tables of a partition, in one database. Raises what RocksDB raises, when it is torn."""

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

    def _read_mark(self) -> Mark:
        octets = self._database.get(_MARK)
        if octets is None:
            return Mark(FORMAT, self._identity, Reached(), {})
        return msgspec.msgpack.decode(octets, type=Mark)

    @property
    def point(self) -> bytes | None:
        """The point's row; None when there is none yet."""
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
        """Take all of `changes` with the point and what they reach, in one write."""
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
        mark = Mark(FORMAT, self._identity, self.reached, sizes)
        batch.put(_MARK, msgspec.msgpack.encode(mark))
        self._database.write(batch)
        for number, rows in changes.items():
            self.store(number).remember(rows)

    def scrub(self) -> None:
        """Rewrite the tables that a write asked it for, without what was replaced or removed.

        The whole of a table: the log of RocksDB names the bounds, which must be nobody's number.
        """
        numbers: bytes = self._database.get(_SCRUB) or b""
        if not numbers:
            return
        self._database.flush(True)  # the rows of the write-ahead log, which goes with it
        wholly = CompactOptions()
        wholly.set_bottommost_level_compaction(BottommostLevelCompaction.force())
        for number in numbers:
            for first in (bytes([number]), _INDEX + bytes([number])):
                after = first[:-1] + bytes([number + 1])
                self._database.compact_range(first, after, wholly)
            self.store(bytes([number])).forget_held()
        self._database.delete(_SCRUB)

    def close(self) -> None:
        """Close the database."""
        self._database.close()


def _row(octets: bytes | None) -> Row | None:
    return None if octets is None else Row.from_octets(octets)
