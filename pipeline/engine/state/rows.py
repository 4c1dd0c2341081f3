"""Rows of one partition, each with the time it falls due, if any.

Where the committed rows are held is another matter: in
memory (`memory.py`) or on disk (`disk.py`).
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
    """How far into the changelog rows go: its next offset, and when its last record was written."""

    offset: int = 0
    at_ms: int = 0


class Store(Protocol):
    """The committed rows of one table."""

    def __len__(self) -> int: ...

    def get(self, key: bytes) -> StateRow | None:
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
