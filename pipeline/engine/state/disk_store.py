"""The rows of one table in the database of its partition, and the index of their due times."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from pipeline.engine.state.tables import octets_from_row, row_from_octets

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rocksdict import Rdict, WriteBatch

    from pipeline.engine.state.rows import StateRow

INDEX: Final = b"\xff"
RECENT_ROWS = 16_000

_DUE: Final = struct.Struct(">Q")
_NO_TIME: Final = (1 << 64) - 1


class DiskStore:
    """The committed rows of one table."""

    def __init__(self, database: Rdict, number: bytes, size: int) -> None:
        self._database = database
        self._number = number
        self._index = INDEX + number
        self._size = size
        self._recent: dict[bytes, StateRow | None] = {}
        self._earlier: dict[bytes, StateRow | None] = {}
        self._first = 0  # no row falls due before this time, in microseconds since 1970

    def __len__(self) -> int:
        return self._size

    def get(self, key: bytes) -> StateRow | None:
        """The row of `key`, or None."""
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
        """The keys that begin with `prefix`."""
        begin = self._number + prefix
        entries = self._database.iter()
        entries.seek(begin)
        found = []
        while entries.valid() and entries.key().startswith(begin):
            found.append(entries.key()[1:])
            entries.next()
        return found

    def forget_held(self) -> None:
        """Drop all decoded rows from memory."""
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

    def put_into(self, batch: WriteBatch, rows: Mapping[bytes, StateRow | None]) -> None:
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
                put(number + key, octets_from_row(row))
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

    def remember(self, rows: Mapping[bytes, StateRow | None]) -> None:
        """Keep rows decoded that are committed now."""
        self._recent.update(rows)
        self._bound()

    def _not_recent(self, keys: Mapping[bytes, Any]) -> dict[bytes, StateRow | None]:
        """The rows of those keys that are not in the younger generation."""
        rest: dict[bytes, StateRow | None] = {}
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
        """Drop the older of two generations of decoded rows, if the younger one is full."""
        if len(self._recent) >= RECENT_ROWS:
            self._recent, self._earlier = {}, self._recent


def _row(octets: bytes | None) -> StateRow | None:
    return None if octets is None else row_from_octets(octets)
