"""The records that a unit of work writes, and their octets. Compiled, as it runs per record."""

from __future__ import annotations

from pipeline.engine.bounds import (
    EFFECT_OCTETS,
    RECORD_OCTETS,
    RECORD_OVERHEAD,
    UNIT_OCTETS,
    Oversize,
)

OutputPartition = tuple[str, int]  # topic and partition
OutputRows = list[tuple[bytes | None, bytes | None]]


class Written:
    """Counts the octets that a unit of work has written so far to its outputs and tables.

    A writer adds to `octets` itself, and calls `check` only if a bound may be exceeded, because a
    call for each record and row would be slow.
    """

    def __init__(self) -> None:
        self.octets: int = 0
        self.unit_octets: int = UNIT_OCTETS
        self.effect_octets: int = EFFECT_OCTETS

    def check(self, octets: int, where: str) -> None:
        """Raise `Oversize` if a record or row of `octets` octets exceeds a bound."""
        if octets > RECORD_OCTETS:
            raise Oversize(f"a record of {octets} octets for {where}")
        if self.octets > self.unit_octets + self.effect_octets:
            raise Oversize(f"more than {self.effect_octets} octets of one record's effects")


class Outputs:
    """The records of a unit of work, by topic and partition, in the order of sending."""

    def __init__(self, partition: int, written: Written) -> None:
        self._partition = partition
        self._written = written
        self.rows: dict[OutputPartition, OutputRows] = {}

    def send(
        self, topic: str, key: bytes | None, value: bytes, *, partition: int | None = None
    ) -> None:
        """Write a record to `topic`, in this partition or the one named; raises `Oversize`."""
        octets = len(value)
        if key is not None:
            octets += len(key)
        written = self._written
        written.octets += octets + RECORD_OVERHEAD
        if octets > RECORD_OCTETS or written.octets > written.unit_octets:
            written.check(octets, topic)
        target = (topic, self._partition if partition is None else partition)
        rows = self.rows.get(target)
        if rows is None:
            rows = self.rows[target] = []
        rows.append((key, value))

    def counts(self) -> dict[OutputPartition, int]:
        """The number of records so far, by topic and partition, for `cut`."""
        return {target: len(rows) for target, rows in self.rows.items()}

    def cut(self, counts: dict[OutputPartition, int]) -> None:
        """Drop the records that were sent since `counts`."""
        self.rows = {t: rows[: counts[t]] for t, rows in self.rows.items() if t in counts}
