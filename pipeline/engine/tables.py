"""Tables of one partition: rows of octets, each with the time it falls due, if any.

A row is kept in the changelog as `table number, key -> due time in microseconds (8 octets), value`;
the due times need no rows of their own. Here the rows are held in memory.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sortedcontainers import SortedSet

if TYPE_CHECKING:
    from collections.abc import Iterator

_DUE: Final = struct.Struct(">Q")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NEVER: Final = 0


def _due_from_time(due_at: datetime | None) -> int:
    return _NEVER if due_at is None else (due_at - _EPOCH) // _MICROSECOND


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its value, and the microseconds since 1970 at which it falls due, 0 for never."""

    value: bytes
    due: int = _NEVER

    def octets(self) -> bytes:
        """The row as the changelog has it."""
        return _DUE.pack(self.due) + self.value

    @classmethod
    def from_octets(cls, octets: bytes) -> Row:
        """The inverse of `octets`."""
        return cls(octets[_DUE.size :], _DUE.unpack_from(octets)[0])


class Store:
    """The committed rows of one table."""

    def __init__(self) -> None:
        self._rows: dict[bytes, Row] = {}
        self._due: SortedSet[tuple[int, bytes]] = SortedSet()

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: bytes) -> Row | None:
        """The row of `key`, if there is one."""
        return self._rows.get(key)

    def put(self, key: bytes, row: Row | None) -> None:
        """Set the row of `key`; None removes it."""
        old = self._rows.get(key)
        if old is not None and old.due:
            self._due.discard((old.due, key))
        if row is None:
            self._rows.pop(key, None)
            return
        self._rows[key] = row
        if row.due:
            self._due.add((row.due, key))

    def due(self, until: int) -> Iterator[tuple[int, bytes]]:
        """Due time and key of every row due at or before `until`, earliest first."""
        for due, key in self._due:
            if due > until:
                return
            yield due, key

    def first_due(self) -> int | None:
        """The earliest due time, if any."""
        return self._due[0][0] if self._due else None


class Table:
    """A table as one unit of work sees it: its own changes over the committed rows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.changes: dict[bytes, Row | None] = {}

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, if there is one."""
        row = self.changes[key] if key in self.changes else self._store.get(key)
        return None if row is None else row.value

    def put(self, key: bytes, value: bytes, *, due_at: datetime | None = None) -> None:
        """Set the row of `key`, and when it falls due."""
        self.changes[key] = Row(value, _due_from_time(due_at))

    def delete(self, key: bytes) -> None:
        """Remove the row of `key`."""
        if key in self.changes or self._store.get(key) is not None:
            self.changes[key] = None

    def due(self, until: datetime) -> list[bytes]:
        """Keys of the rows due at or before `until`, earliest first, then by key."""
        limit = _due_from_time(until)
        found = {(due, key) for due, key in self._store.due(limit) if key not in self.changes}
        found |= {
            (row.due, key) for key, row in self.changes.items() if row and 0 < row.due <= limit
        }
        return [key for _, key in sorted(found)]

    def has_due(self, until: datetime) -> bool:
        """Whether any row may be due at or before `until`."""
        first = self._store.first_due()
        return bool(self.changes) or (first is not None and first <= _due_from_time(until))

    def apply(self) -> None:
        """The changes are committed."""
        for key, row in self.changes.items():
            self._store.put(key, row)
        self.changes = {}


def time_from_due(due: int) -> datetime:
    """The time of a row's due microseconds."""
    return _EPOCH + timedelta(microseconds=due)
