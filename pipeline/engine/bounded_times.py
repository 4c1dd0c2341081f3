"""Checks the time that a record states against the broker's time of the record.

A time far ahead of the broker's is not used. The broker stamps each record of these topics
(LogAppendTime), so the check gives the same result when the record is read again
(`deploy/decisions/0086`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipeline.engine import metrics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.unit_of_work import UnitOfWork

#: The clocks of synchronised hosts differ by far less.
MOST_AHEAD: Final = timedelta(minutes=5)
#: `twoway clock advance` advances the clock of a local stack, in steps of a minute.
MOST_AHEAD_LOCALLY: Final = timedelta(days=366)
#: There was no SMS before 1990. A bound this old allows retries of very old dead letters.
EARLIEST_STATED: Final = datetime(1990, 1, 1, tzinfo=UTC)


def broker_time(record: ConsumerRecord) -> datetime:
    """The time at which the broker appended the record."""
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)


def show_topics(names: Iterable[str]) -> None:
    """Start each topic's counter at zero: Prometheus sees no increase in a series that is new."""
    for name in names:
        metrics.TIMES_NOT_BELIEVED.labels(name)


class TimeBounds:
    """Decides which stated times a partition uses. `is_local`: its clock may be advanced."""

    def __init__(self, *, is_local: bool) -> None:
        self._is_local = is_local
        self.most_ahead = MOST_AHEAD_LOCALLY if is_local else MOST_AHEAD
        self._asked_timestamp = -1
        self._asked_time: datetime | None = None
        self._latest = EARLIEST_STATED

    def latest(self, work: UnitOfWork, record: ConsumerRecord) -> datetime:
        """The latest time that the record may state.

        On a local stack, the partition's own time counts if it was advanced past the broker's.
        """
        time = work.time
        if record.timestamp != self._asked_timestamp or time is not self._asked_time:
            now = broker_time(record)
            base = time if self._is_local and time is not None and time > now else now
            try:
                self._latest = base + self.most_ahead
            except OverflowError:
                self._latest = now + self.most_ahead
            self._asked_timestamp, self._asked_time = record.timestamp, time
        return self._latest

    def has_leapt(self, work: UnitOfWork, record: ConsumerRecord) -> bool:
        """Whether the partition's time is later than any tick could set it now."""
        return work.time is not None and work.time > broker_time(record) + self.most_ahead

    def believed(self, work: UnitOfWork, record: ConsumerRecord, stated: datetime) -> datetime:
        """`stated`, or if that is out of bounds, the later of the broker's and partition's time."""
        if (
            # The bound of an earlier record is not above this one's.
            EARLIEST_STATED <= stated <= self._latest
            and record.timestamp >= self._asked_timestamp
            and work.time is self._asked_time
        ):
            return stated
        if EARLIEST_STATED <= stated <= self.latest(work, record):
            return stated
        metrics.TIMES_NOT_BELIEVED.labels(record.topic).inc()
        now = broker_time(record)
        return now if work.time is None else max(now, work.time)
