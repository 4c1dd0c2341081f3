"""Tables of one partition: rows of octets, each with the time it falls due, if any.

A row is kept in the changelog as `table number, key -> due time in microseconds (8 octets), value`;
the due times need no rows of their own. Where the committed rows are held is another matter: in
memory (`memory.py`) or on disk (`disk.py`).
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import msgspec

_DUE: Final = struct.Struct(">Q")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_NEVER: Final = 0


def _due_from_time(due_at: datetime | None) -> int:
    return _NEVER if due_at is None else (due_at - _EPOCH) // _MICROSECOND


class Row(msgspec.Struct, frozen=True):
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


#: New rows by table number and key; None removes a row.
Changes = Mapping[bytes, Mapping[bytes, Row | None]]


class Reached(msgspec.Struct, frozen=True):
    """How far into the changelog rows go: its next offset, and when its last record was written."""

    offset: int = 0
    at_ms: int = 0


class Store(Protocol):
    """The committed rows of one table."""

    def __len__(self) -> int: ...

    def get(self, key: bytes) -> Row | None:
        """The row of `key`, if there is one."""

    def keys(self, prefix: bytes) -> list[bytes]:
        """The keys that begin so."""

    def due(self, until: int, at_most: int) -> list[tuple[int, bytes]]:
        """Due time and key of the rows due at or before `until`, the earliest `at_most`."""

    def first_due(self) -> int | None:
        """The earliest due time, if any."""


class Rows(Protocol):
    """The committed rows of all tables of a partition, and the point at which they stand."""

    @property
    def point(self) -> bytes | None:
        """The point's row; None when there is none yet."""

    @property
    def reached(self) -> Reached:
        """How far into the changelog these rows go."""

    def store(self, number: bytes) -> Store:
        """The rows of a table."""

    def write(
        self, changes: Changes, *, point: bytes | None, reached: Reached | None, scrub: bytes = b""
    ) -> None:
        """Take all of `changes` with the point and what they reach, or nothing; None: as before.

        `scrub`: the numbers of tables, an octet each, of which `scrub()` is to leave no old octets.
        """

    def scrub(self) -> None:
        """Let nothing be left of rows that were replaced or removed, where a write asked for it."""

    def close(self) -> None:
        """Let go of whatever holds them."""


class Table:
    """A table as one unit of work sees it: its own changes over the committed rows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.changes: dict[bytes, Row | None] = {}

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, if there is one."""
        row = self.changes[key] if key in self.changes else self._store.get(key)
        return None if row is None else row.value

    @property
    def is_empty(self) -> bool:
        """Whether it can have no rows."""
        return not self.changes and not len(self._store)

    def keys(self, prefix: bytes) -> list[bytes]:
        """The keys that begin so, in order."""
        found = {key for key in self._store.keys(prefix) if key not in self.changes}
        found |= {key for key, row in self.changes.items() if row and key.startswith(prefix)}
        return sorted(found)

    def put(self, key: bytes, value: bytes, *, due_at: datetime | None = None) -> None:
        """Set the row of `key`, and when it falls due."""
        self.changes[key] = Row(value, _due_from_time(due_at))

    def delete(self, key: bytes) -> None:
        """Remove the row of `key`."""
        if key in self.changes or self._store.get(key) is not None:
            self.changes[key] = None

    def due(self, until: datetime, *, at_most: int = sys.maxsize) -> list[bytes]:
        """Keys of the rows due at or before `until`, earliest first, then by key."""
        limit, changes = _due_from_time(until), self.changes
        stored = self._store.due(limit, at_most + len(changes))
        found = {(due, key) for due, key in stored if key not in changes}
        found |= {(row.due, key) for key, row in changes.items() if row and 0 < row.due <= limit}
        return [key for _, key in sorted(found)[:at_most]]

    def has_due(self, until: datetime) -> bool:
        """Whether any row may be due at or before `until`."""
        first = self._store.first_due()
        return bool(self.changes) or (first is not None and first <= _due_from_time(until))


def time_from_due(due: int) -> datetime:
    """The time of a row's due microseconds."""
    return _EPOCH + timedelta(microseconds=due)
