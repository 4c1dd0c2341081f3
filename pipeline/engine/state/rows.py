"""The rows of one partition, and the protocols of the stores that hold them.

Committed rows are held in memory (`memory.py`) or on disk (`disk.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import msgspec

NEVER_DUE: Final = 0


class StateRow(msgspec.Struct, frozen=True):
    """A row: its value, and the microseconds since 1970 at which it falls due, 0 for never."""

    value: bytes
    due: int = NEVER_DUE


#: New rows by table number and key; None removes a row.
Changes = Mapping[bytes, Mapping[bytes, StateRow | None]]


class Reached(msgspec.Struct, frozen=True):
    """The position of rows in the changelog: the next offset, and the time of the last record."""

    offset: int = 0
    at_ms: int = 0


class Store(Protocol):
    """The committed rows of one table."""

    def __len__(self) -> int: ...

    def get(self, key: bytes) -> StateRow | None:
        """The row of `key`, or None."""

    def keys(self, prefix: bytes) -> list[bytes]:
        """The keys that begin with `prefix`."""

    def due(self, until: int, at_most: int) -> list[tuple[int, bytes]]:
        """Due time and key of the rows due at or before `until`, the earliest `at_most`."""

    def first_due(self) -> int | None:
        """The earliest due time, if any."""


class Rows(Protocol):
    """The committed rows of all tables of a partition, and their point."""

    @property
    def point(self) -> bytes | None:
        """The point's row; None if there is none yet."""

    @property
    def reached(self) -> Reached:
        """The position of these rows in the changelog."""

    def store(self, number: bytes) -> Store:
        """The rows of a table."""

    def write(
        self, changes: Changes, *, point: bytes | None, reached: Reached | None, scrub: bytes = b""
    ) -> None:
        """Write `changes`, the point and the position in the changelog, all or nothing.

        None for the point or the position: it does not change. `scrub`: the numbers of the tables,
        one octet each, that `scrub()` must rewrite.
        """

    def scrub(self) -> None:
        """Leave nothing of replaced and removed rows in the tables that `write` named for it."""

    def close(self) -> None:
        """Close the store."""
