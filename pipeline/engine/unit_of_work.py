"""The effects of one batch: outputs, state and offsets, written in one Kafka transaction."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from pipeline.engine.bounds import UNIT_SECONDS
from pipeline.engine.outputs import Outputs
from pipeline.engine.state.state import SCRUB_KEY, Point, State, point_row
from pipeline.engine.transaction import offsets_of, write_transaction

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from aiokafka import AIOKafkaProducer

    from pipeline.engine.outputs import OutputPartition
    from pipeline.engine.state.tables import Table
    from pipeline.process.tracing import Headers


class UnitOfWork:
    """Everything that the stages write for one batch. Nothing is visible before `commit`."""

    def __init__(self, *, state: State, partition: int, changelog: str) -> None:
        self._state = state
        #: The tables, with the changes of this unit.
        self.tables: Mapping[str, Table] = state.tables
        self._partition = partition
        self._changelog = changelog
        self._written = state.written
        self._outputs = Outputs(partition, state.written)
        #: Writes a record; see `Outputs.send`.
        self.send: Final = self._outputs.send
        self._headers: dict[OutputPartition, list[Headers]] = {}
        self._scrubbed: set[str] = set()
        self._ends_at = time.monotonic() + UNIT_SECONDS
        self._savepoint: tuple[dict[OutputPartition, int], datetime | None, int, int] | None = None
        self._afterwards: list[Callable[[], None]] = []
        self.time = state.point.time
        self.must_commit = False

    def sent(self) -> dict[OutputPartition, int]:
        """How many records were sent so far, by topic and partition, for `carry`."""
        return self._outputs.counts()

    def carry(self, headers: Headers, *, since: Mapping[OutputPartition, int]) -> None:
        """Give the records that were sent after `since` these headers."""
        for target, rows in self._outputs.rows.items():
            begin = since.get(target, 0)
            if begin < len(rows):
                of_target = self._headers.setdefault(target, [])
                of_target.extend([[]] * (begin - len(of_target)))
                of_target.extend([headers] * (len(rows) - begin))

    def scrub(self, *tables: str) -> None:
        """After the commit, rewrite these tables on disk without replaced and removed rows."""
        self._scrubbed.update(tables)

    def advance_time(self, time: datetime) -> bool:
        """Move the partition's time to `time`; False if it is later already: it never goes back."""
        if self.time is not None and time < self.time:
            return False
        self.time = time
        return True

    def turn_time_back(self, time: datetime) -> None:
        """Set a time that leapt ahead back to `time`, and force a transaction that writes it."""
        self.time = time
        self.must_commit = True  # a commit of offsets alone would not change the committed time

    def once_committed(self, call: Callable[[], None]) -> None:
        """Call this once the unit is committed: for effects outside Kafka, which may be lost.

        A process that ends after the commit has not called it. What must happen is a row, which the
        processor finds after a restore.
        """
        self._afterwards.append(call)

    def run_afterwards(self) -> None:
        """The unit is committed, or there was nothing to commit."""
        for call in self._afterwards:
            call()

    @property
    def octets(self) -> int:
        """The octets written so far."""
        return self._written.octets

    @property
    def is_full(self) -> bool:
        """Whether the unit of work has reached its limit of octets or of time."""
        written = self._written
        return written.octets > written.unit_octets or time.monotonic() > self._ends_at

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return (
            not self._outputs.rows
            and not self.must_commit
            and not any(table.changes for table in self._state.tables.values())
        )

    def savepoint(self) -> None:
        """Remember the state of this unit, for `rollback`."""
        afterwards = len(self._afterwards)
        self._savepoint = self._outputs.counts(), self.time, self._written.octets, afterwards
        self._state.begin_undo()

    def rollback(self) -> None:
        """Undo everything since the savepoint."""
        if self._savepoint is None:
            raise RuntimeError("there is no savepoint")
        counts, self.time, self._written.octets, afterwards = self._savepoint
        self._savepoint = None
        del self._afterwards[afterwards:]
        self._state.undo()
        self._outputs.cut(counts)

    async def commit(
        self, producer: AIOKafkaProducer, *, group: str, offsets: Mapping[str, int]
    ) -> None:
        """Write everything in one Kafka transaction, then apply it to the state.

        Raises aiokafka's errors. After an error it may not be known whether the transaction was
        committed, so the state must be restored before it is used again.
        """
        before = self._state.point
        point = Point(before.sequence + 1, self.time, {**before.offsets, **offsets})
        target = (self._changelog, self._partition)
        changelog = self._outputs.rows.setdefault(target, [])
        changelog.extend(self._state.changes())
        scrub = self._state.numbers_of(self._scrubbed)
        if scrub:
            changelog.append((SCRUB_KEY, scrub))
        changelog.append(point_row(point))
        reached = await write_transaction(
            producer,
            self._outputs.rows,
            changelog=target,
            group=group,
            offsets=offsets_of(point, self._partition),
            headers=self._headers,
        )
        self._state.apply(point, reached=reached, scrub=scrub)
        if scrub:
            await asyncio.to_thread(self._state.rows.scrub)
