"""Rows in memory, for tests and for an agent without a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sortedcontainers import SortedSet

from pipeline.engine.state.rows import Reached

if TYPE_CHECKING:
    from pipeline.engine.state.rows import Changes, StateRow


class MemoryStore:
    """The committed rows of one table."""

    def __init__(self) -> None:
        self._rows: dict[bytes, StateRow] = {}
        self._due: SortedSet[tuple[int, bytes]] = SortedSet()

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: bytes) -> StateRow | None:
        """The row of `key`, or None."""
        return self._rows.get(key)

    def keys(self, prefix: bytes) -> list[bytes]:
        """The keys that begin with `prefix`."""
        return [key for key in self._rows if key.startswith(prefix)]

    def put(self, key: bytes, row: StateRow | None) -> None:
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

    def due(self, until: int, at_most: int) -> list[tuple[int, bytes]]:
        """Due time and key of the rows due at or before `until`, the earliest `at_most`."""
        found: list[tuple[int, bytes]] = []
        for due, key in self._due:
            if due > until or len(found) == at_most:
                break
            found.append((due, key))
        return found

    def first_due(self) -> int | None:
        """The earliest due time, if any."""
        return self._due[0][0] if self._due else None


class MemoryRows:
    """All tables of a partition."""

    def __init__(self) -> None:
        self._stores: dict[bytes, MemoryStore] = {}
        self.point: bytes | None = None
        self.reached = Reached()

    def store(self, number: bytes) -> MemoryStore:
        """The rows of a table."""
        found = self._stores.get(number)
        if found is None:
            found = self._stores[number] = MemoryStore()
        return found

    def write(
        self, changes: Changes, *, point: bytes | None, reached: Reached | None, scrub: bytes = b""
    ) -> None:
        """Apply the changes."""
        for number, rows in changes.items():
            put = self.store(number).put
            for key, row in rows.items():
                put(key, row)
        self.point = self.point if point is None else point
        self.reached = self.reached if reached is None else reached

    def scrub(self) -> None:
        """Do nothing: there are no files."""

    def close(self) -> None:
        """Do nothing: there is nothing to close."""
