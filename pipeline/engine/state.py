"""The state of one partition's task: its tables, and the point in the topics at which they stand.

The point is a row of the changelog like any other, written in every transaction, so that tables and
offsets are always of one piece. It is also the metadata of the committed offsets.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.engine.tables import Row, Store, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

POINT_KEY: Final = b"\x00"


class Point(msgspec.Struct, frozen=True):
    """Where the state stands: transactions so far, the time, and the next offset of each topic."""

    sequence: int = 0
    time: datetime | None = None
    offsets: dict[str, int] = {}

    def metadata(self) -> str:
        """For the committed offsets: `sequence;time`, the time in ISO 8601 or empty."""
        return f"{self.sequence};{self.time.isoformat() if self.time else ''}"


def point_from_metadata(metadata: str) -> Point | None:
    """Sequence and time out of a committed offset's metadata; None when it is not ours."""
    sequence, separator, time = metadata.partition(";")
    if not separator or not sequence.isdigit():
        return None
    return Point(sequence=int(sequence), time=datetime.fromisoformat(time) if time else None)


class State:
    """Tables by name, and the point. The first octet of a changelog key is the table's number."""

    def __init__(self, tables: Iterable[str]) -> None:
        self._number = {name: bytes([number]) for number, name in enumerate(tables, 1)}
        self._stores = {number: Store() for number in self._number.values()}
        self.tables = {name: Table(self._stores[n]) for name, n in self._number.items()}
        self.point = Point()

    def restore(self, key: bytes, value: bytes | None) -> None:
        """Take one row of the changelog."""
        if key == POINT_KEY:
            self.point = msgspec.msgpack.decode(value or b"", type=Point)
            return
        row = None if value is None else Row.from_octets(value)
        self._stores[key[:1]].put(key[1:], row)

    def changes(self) -> list[tuple[bytes, bytes | None]]:
        """What the tables have changed since the last commit, as rows of the changelog."""
        return [
            (number + key, row.octets() if row else None)
            for name, number in self._number.items()
            for key, row in self.tables[name].changes.items()
        ]

    def apply(self, point: Point) -> None:
        """The changes are committed and the state stands at `point`."""
        for table in self.tables.values():
            table.apply()
        self.point = point

    def discard(self) -> None:
        """The changes are not to be."""
        for table in self.tables.values():
            table.changes = {}

    def snapshot(self) -> dict[str, dict[bytes, Row | None]]:
        """The uncommitted changes as they are now, for `revert`."""
        return {name: dict(table.changes) for name, table in self.tables.items()}

    def revert(self, snapshot: Mapping[str, dict[bytes, Row | None]]) -> None:
        """Go back to a snapshot."""
        for name, changes in snapshot.items():
            self.tables[name].changes = changes

    def first_due(self) -> int | None:
        """The earliest due time of any table, in microseconds since 1970."""
        dues = [due for store in self._stores.values() if (due := store.first_due()) is not None]
        return min(dues, default=None)

    def sizes(self) -> dict[str, int]:
        """Rows by table."""
        return {name: len(self._stores[number]) for name, number in self._number.items()}


def point_row(point: Point) -> tuple[bytes, bytes]:
    """The point as a row of the changelog."""
    return POINT_KEY, msgspec.msgpack.encode(point)
