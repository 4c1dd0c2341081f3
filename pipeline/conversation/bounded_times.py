"""No time that a record states is believed far beyond the broker's own time.

The broker stamps each record of the topics that are read here (LogAppendTime), so the comparison
is the same whenever the record is read again. `deploy/decisions/0086`.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from pipeline.engine import metrics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.unit_of_work import UnitOfWork

#: Clocks of hosts that are kept in step differ by far less.
MOST_AHEAD: Final = timedelta(minutes=5)
#: The clock of a local stack is put forward by `twoway clock advance`, in steps of a minute.
MOST_AHEAD_LOCALLY: Final = timedelta(days=366)
#: No short message was received before; and dead letters of long ago may be sent through again.
EARLIEST: Final = datetime(1990, 1, 1, tzinfo=UTC)


def broker_time(record: ConsumerRecord) -> datetime:
    """When the broker took the record."""
    return datetime.fromtimestamp(record.timestamp / 1000, UTC)


def show_topics(names: Iterable[str]) -> None:
    """Have each topic counted from zero: to Prometheus an increase from nothing is none."""
    for name in names:
        metrics.TIMES_NOT_BELIEVED.labels(name)


class TimeBounds:
    """Which times a partition believes. `is_local`: the stack's clock may be put forward."""

    def __init__(self, *, is_local: bool) -> None:
        self._is_local = is_local
        self.most_ahead = MOST_AHEAD_LOCALLY if is_local else MOST_AHEAD
        self._asked_timestamp = -1
        self._asked_time: datetime | None = None
        self._latest = EARLIEST

    def latest(self, work: UnitOfWork, record: ConsumerRecord) -> datetime:
        """The latest time that the record may state.

        On a local stack the partition's own time may have been put forward, step by step.
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
        """Whether the partition's time is one that no tick could bring it to now."""
        return work.time is not None and work.time > broker_time(record) + self.most_ahead

    def believed(self, work: UnitOfWork, record: ConsumerRecord, stated: datetime) -> datetime:
        """`stated`, or where it is not believed the later of the broker's and the partition's."""
        if (
            EARLIEST <= stated <= self._latest  # of a record before, so not beyond this one's
            and record.timestamp >= self._asked_timestamp
            and work.time is self._asked_time
        ):
            return stated
        if EARLIEST <= stated <= self.latest(work, record):
            return stated
        metrics.TIMES_NOT_BELIEVED.labels(record.topic).inc()
        now = broker_time(record)
        return now if work.time is None else max(now, work.time)
