"""One batch's effects, all or none: outputs, state and offsets in one Kafka transaction."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from aiokafka.errors import IllegalOperation
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from pipeline.engine.bounds import RECORD_OCTETS, RECORD_OVERHEAD, UNIT_OCTETS, UNIT_SECONDS
from pipeline.engine.state.rows import Reached
from pipeline.engine.state.state import SCRUB_KEY, Point, State, point_row

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from aiokafka import AIOKafkaProducer

    from pipeline.engine.state.tables import Table

REASON_SECONDS: Final = 1.0

_Rows = list[tuple[bytes | None, bytes | None]]
_Sent = tuple["asyncio.Future[Any]", int]  # of a batch, and how many records it has


class UnitOfWork:
    """What the stages of one batch want done. Nothing of it is visible until `commit` returns."""

    def __init__(self, *, state: State, partition: int, changelog: str) -> None:
        self._state = state
        #: The tables, with this unit's own changes in sight.
        self.tables: Mapping[str, Table] = state.tables
        self._partition = partition
        self._changelog = changelog
        self._outputs: dict[tuple[str, int], _Rows] = {}
        self._scrubbed: set[str] = set()
        self._written = state.written
        self._ends_at = time.monotonic() + UNIT_SECONDS
        self._savepoint: tuple[dict[tuple[str, int], int], datetime | None, int] | None = None
        self.time = state.point.time
        self.must_commit = False

    def send(
        self, topic: str, key: bytes | None, value: bytes, *, partition: int | None = None
    ) -> None:
        """Write a record to `topic`, in this partition or the one named; raises `Oversize`."""
        octets = len(value) + (len(key) if key else 0)
        written = self._written
        written.octets += octets + RECORD_OVERHEAD
        if octets > RECORD_OCTETS or written.octets > UNIT_OCTETS:
            written.check(octets, topic)
        target = (topic, self._partition if partition is None else partition)
        rows = self._outputs.get(target)
        if rows is None:
            rows = self._outputs[target] = []
        rows.append((key, value))

    def scrub(self, *tables: str) -> None:
        """Leave no octets, where rows are held, of what these tables' rows were before."""
        self._scrubbed.update(tables)

    def advance_time(self, time: datetime) -> bool:
        """Move the partition's time to `time`; False when it is past that: it never goes back."""
        if self.time is not None and time < self.time:
            return False
        self.time = time
        return True

    def turn_time_back(self, time: datetime) -> None:
        """Set a time that has leapt ahead back to `time`; the transaction says so for good."""
        self.time = time
        self.must_commit = True  # offsets alone could not take back a time that was committed

    @property
    def octets(self) -> int:
        """The octets that are written so far."""
        return self._written.octets

    @property
    def is_full(self) -> bool:
        """Whether it has as many octets, or has taken as long, as a unit of work should."""
        return self._written.octets > UNIT_OCTETS or time.monotonic() > self._ends_at

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write."""
        return (
            not self._outputs
            and not self.must_commit
            and not any(table.changes for table in self._state.tables.values())
        )

    def savepoint(self) -> None:
        """Remember what there is so far, for `rollback`."""
        counts = {target: len(rows) for target, rows in self._outputs.items()}
        self._savepoint = counts, self.time, self._written.octets
        self._state.begin_undo()

    def rollback(self) -> None:
        """Undo what was done since the savepoint."""
        if self._savepoint is None:
            raise RuntimeError("there is no savepoint")
        counts, self.time, self._written.octets = self._savepoint
        self._savepoint = None
        self._state.undo()
        self._outputs = {t: rows[: counts[t]] for t, rows in self._outputs.items() if t in counts}

    async def commit(
        self, producer: AIOKafkaProducer, *, group: str, offsets: Mapping[str, int]
    ) -> None:
        """Write everything in one Kafka transaction, then make it the state.

        Raises what aiokafka raises; then it may not be known whether it is visible, and
        the state must be restored before it is used again.
        """
        before = self._state.point
        point = Point(before.sequence + 1, self.time, {**before.offsets, **offsets})
        changelog = self._outputs.setdefault((self._changelog, self._partition), [])
        changelog.extend(self._state.changes())
        scrub = self._state.numbers_of(self._scrubbed)
        if scrub:
            changelog.append((SCRUB_KEY, scrub))
        changelog.append(point_row(point))
        await producer.begin_transaction()
        sent: list[_Sent] = []
        reached: list[_Sent] = []
        try:
            for (topic, partition), rows in self._outputs.items():
                batches = await _send(producer, topic, partition, rows)
                sent += batches
                if topic == self._changelog:
                    reached = batches
            # One after the other: for either the broker asks itself about the transaction, and of
            # two questions at a time it refuses one.
            await asyncio.gather(*(future for future, _ in sent))
            await producer.send_offsets_to_transaction(offsets_of(point, self._partition), group)
        except IllegalOperation:
            await _raise_what_ended(sent)
            raise
        await producer.commit_transaction()
        self._state.apply(point, reached=_reached(reached), scrub=scrub)
        if scrub:
            await asyncio.to_thread(self._state.rows.scrub)


async def _raise_what_ended(sent: list[_Sent]) -> None:
    """Raise what ended a transaction: the producer tells it to the batches it had in hand.

    To whoever calls it next it says only that there is no transaction.
    """
    futures = [future for future, _ in sent]
    if futures:
        await asyncio.wait(futures, timeout=REASON_SECONDS)
    errors = [f.exception() for f in futures if f.done() and not f.cancelled()]
    for error in errors:
        if error is not None:
            raise error


def _reached(batches: list[_Sent]) -> Reached | None:
    """Where the changelog goes on after its last batch; None when the broker did not say."""
    future, rows = batches[-1]
    offset = future.result().offset
    return Reached(offset + rows, int(time.time() * 1000)) if offset >= 0 else None


def offsets_of(point: Point, partition: int) -> dict[TopicPartition, OffsetAndMetadata]:
    """The point as offsets to commit."""
    metadata = point.metadata()
    return {
        TopicPartition(topic, partition): OffsetAndMetadata(offset, metadata)
        for topic, offset in point.offsets.items()
    }


async def _send(producer: AIOKafkaProducer, topic: str, partition: int, rows: _Rows) -> list[_Sent]:
    """Hand `rows` over in whole batches: an await per row is what a producer's `send` costs."""
    sent = []
    batch = producer.create_batch()
    for key, value in rows:
        if batch.append(key=key, value=value, timestamp=None) is None:
            batch.close()
            future = await producer.send_batch(batch, topic, partition=partition)
            sent.append((future, batch.record_count()))
            batch = producer.create_batch()
            if batch.append(key=key, value=value, timestamp=None) is None:
                size = len(key or b"") + len(value or b"")
                raise ValueError(f"a record of {size} octets for {topic} is too large")
    batch.close()
    sent.append(
        (await producer.send_batch(batch, topic, partition=partition), batch.record_count())
    )
    return sent
