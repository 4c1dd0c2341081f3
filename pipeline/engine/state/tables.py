"""The tables of one partition as a unit of work sees them, and their rows as octets.

A row in the changelog is `table number, key -> due time in microseconds (8 octets), value`. So due
times need no separate rows.
"""

from __future__ import annotations

import struct
import sys
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipeline.engine.bounds import RECORD_OCTETS, RECORD_OVERHEAD
from pipeline.engine.outputs import Written
from pipeline.engine.state.rows import NEVER_DUE, StateRow

if TYPE_CHECKING:
    from pipeline.engine.state.rows import Store

_DUE: Final = struct.Struct(">Q")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Table:
    """A table as one unit of work sees it: the committed rows with the changes of this unit."""

    def __init__(self, store: Store, *, name: str = "", written: Written | None = None) -> None:
        self._store = store
        self._name = name
        self._written = Written() if written is None else written
        self.changes: dict[bytes, StateRow | None] = {}
        self._before: list[tuple[bytes, StateRow | None, bool]] | None = None

    def get(self, key: bytes) -> bytes | None:
        """The value of `key`, or None."""
        row = self.changes[key] if key in self.changes else self._store.get(key)
        return None if row is None else row.value

    def changed(self, number: bytes) -> list[tuple[bytes, bytes | None]]:
        """The changes as rows of the changelog; `number` is the number of the table."""
        return [
            (number + key, None if row is None else octets_from_row(row))
            for key, row in self.changes.items()
        ]

    @property
    def is_empty(self) -> bool:
        """Whether the table certainly has no rows."""
        return not self.changes and not len(self._store)

    def keys(self, prefix: bytes) -> list[bytes]:
        """The keys that begin with `prefix`, in order."""
        found = {key for key in self._store.keys(prefix) if key not in self.changes}
        found |= {key for key, row in self.changes.items() if row and key.startswith(prefix)}
        return sorted(found)

    def put(self, key: bytes, value: bytes, *, due_at: datetime | None = None) -> None:
        """Set the row of `key`, and when it falls due; raises `Oversize`."""
        row = StateRow(value, _due_from_time(due_at))
        octets = len(key) + len(value)
        written = self._written
        written.octets += octets + RECORD_OVERHEAD
        if octets > RECORD_OCTETS or written.octets > written.unit_octets:
            written.check(octets, self._name)
        if self._before is not None:
            self._note(key)
        self.changes[key] = row

    def delete(self, key: bytes) -> None:
        """Remove the row of `key`."""
        if key in self.changes or self._store.get(key) is not None:
            if self._before is not None:
                self._note(key)
            self.changes[key] = None

    def begin_undo(self) -> None:
        """From now on remember replaced rows, for `undo`."""
        self._before = []

    def undo(self) -> None:
        """Undo the changes since `begin_undo`."""
        for key, row, was_changed in reversed(self._before or ()):
            if was_changed:
                self.changes[key] = row
            else:
                del self.changes[key]
        self._before = None

    def discard(self) -> None:
        """Undo all changes."""
        self.changes = {}
        self._before = None

    def _note(self, key: bytes) -> None:
        if self._before is not None:
            self._before.append((key, self.changes.get(key), key in self.changes))

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


def octets_from_row(row: StateRow) -> bytes:
    """The octets of a row in changelog and database."""
    return _DUE.pack(row.due) + row.value


def row_from_octets(octets: bytes) -> StateRow:
    """The inverse of `octets_from_row`."""
    return StateRow(octets[_DUE.size :], _DUE.unpack_from(octets)[0])


def time_from_due(due: int) -> datetime:
    """The time of a row's due microseconds."""
    return _EPOCH + timedelta(microseconds=due)


def _due_from_time(due_at: datetime | None) -> int:
    if due_at is None:
        return NEVER_DUE
    since = due_at - _EPOCH  # takes half the time of a division of timedeltas
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
