"""The state of one partition's task: its tables and their point.

The point is a row of the changelog and is written in every transaction, so tables and offsets
always agree. It is also the metadata of the committed offsets.
"""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.engine.outputs import Written
from pipeline.engine.state.memory import MemoryRows
from pipeline.engine.state.tables import Table, row_from_octets

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.engine.state.rows import Reached, Rows, StateRow

POINT_KEY: Final = b"\x00"
#: The row with this key names the tables that were scrubbed last. A restore scrubs them too.
SCRUB_KEY: Final = b"\x00scrub"


class Point(msgspec.Struct, frozen=True):
    """How far the state has come: number of transactions, time, and next offset of each topic."""

    sequence: int = 0
    time: datetime | None = None
    offsets: dict[str, int] = {}

    def metadata(self) -> str:
        """The metadata of the committed offsets: `sequence;time`, the time in ISO 8601 or empty."""
        return f"{self.sequence};{self.time.isoformat() if self.time else ''}"


def point_from_metadata(metadata: str) -> Point | None:
    """Sequence and time in the metadata of a committed offset; None if we did not write it."""
    sequence, separator, time = metadata.partition(";")
    if not separator or not sequence.isdigit():
        return None
    return Point(sequence=int(sequence), time=datetime.fromisoformat(time) if time else None)


class State:
    """Tables by name, and the point. The first octet of a changelog key is the table's number."""

    def __init__(self, tables: Iterable[str], rows: Rows | None = None) -> None:
        self.rows: Rows = MemoryRows() if rows is None else rows
        self._number = {name: bytes([number]) for number, name in enumerate(tables, 1)}
        self._stores = {number: self.rows.store(number) for number in self._number.values()}
        self.written = Written()
        self.tables = {
            name: Table(self._stores[n], name=name, written=self.written)
            for name, n in self._number.items()
        }
        octets = self.rows.point
        self.point = Point() if octets is None else msgspec.msgpack.decode(octets, type=Point)

    def restore(
        self, rows: Iterable[tuple[bytes, bytes | None]], *, reached: Reached | None = None
    ) -> None:
        """Apply rows of the changelog, in its order."""
        changes: dict[bytes, dict[bytes, StateRow | None]] = {number: {} for number in self._stores}
        point = None
        scrub = b""
        for key, value in rows:
            if key == POINT_KEY:
                point = value or b""
            elif key == SCRUB_KEY:
                scrub = value or b""
            else:
                row = None if value is None else row_from_octets(value)
                changes[key[:1]][key[1:]] = row
        if point is not None:
            self.point = msgspec.msgpack.decode(point, type=Point)
        self.rows.write(changes, point=point, reached=reached, scrub=scrub)

    def changes(self) -> list[tuple[bytes, bytes | None]]:
        """The changes of the tables since the last commit, as rows of the changelog."""
        return list(
            chain.from_iterable(
                self.tables[n].changed(number) for n, number in self._number.items()
            )
        )

    def numbers_of(self, names: Iterable[str]) -> bytes:
        """The numbers of tables, one octet each, in order."""
        return bytes(sorted(self._number[name][0] for name in names))

    def apply(self, point: Point, *, reached: Reached | None = None, scrub: bytes = b"") -> None:
        """Write the changes, which are committed now, and set the point."""
        changes = {n: self.tables[name].changes for name, n in self._number.items()}
        self.rows.write(changes, point=point_row(point)[1], reached=reached, scrub=scrub)
        self.discard()
        self.point = point

    def discard(self) -> None:
        """Drop the changes."""
        for table in self.tables.values():
            table.discard()
        self.written.octets = 0

    def begin_undo(self) -> None:
        """From now on remember replaced rows, for `undo`."""
        for table in self.tables.values():
            table.begin_undo()

    def undo(self) -> None:
        """Undo the changes since `begin_undo`."""
        for table in self.tables.values():
            table.undo()

    def first_due(self) -> int | None:
        """The earliest due time of any table, in microseconds since 1970."""
        dues = [due for store in self._stores.values() if (due := store.first_due()) is not None]
        return min(dues, default=None)

    def sizes(self) -> dict[str, int]:
        """The number of rows of each table."""
        return {name: len(self._stores[number]) for name, number in self._number.items()}


def point_row(point: Point) -> tuple[bytes, bytes]:
    """The point as a row of the changelog."""
    return POINT_KEY, msgspec.msgpack.encode(point)
