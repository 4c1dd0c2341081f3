"""Processes a tick: checks its time, and handles the rows that fall due, table by table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.engine import metrics
from pipeline.engine.bounded_times import broker_time
from pipeline.engine.bounds import UNIT_OCTETS, RowFailed
from pipeline.records import Clock, Reason, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.bounded_times import TimeBounds
    from pipeline.engine.unit_of_work import UnitOfWork

#: The most rows of one tick that fall due in one unit of work: a clock may leap over a week.
DUE_AT_MOST = 4_000
#: Origin of the order to set back a time that leapt ahead (`twoway clock reset`).
RESET: Final = "reset"


class Due:
    """Handles rows that fall due. `fall_due` has a function for each table.

    `bury` writes a tick that is refused to the dead letters.
    """

    def __init__(
        self,
        times: TimeBounds,
        fall_due: Mapping[str, Callable[[UnitOfWork, bytes, datetime], None]],
        *,
        bury: Callable[[UnitOfWork, ConsumerRecord, Rejected], None],
    ) -> None:
        self._times = times
        self._bury = bury
        self._due = fall_due

    def take_tick(self, work: UnitOfWork, record: ConsumerRecord, tick: Clock) -> bool:
        """Handle the rows that are due at the tick; True if more rows may be due.

        The limits count from the tick on, and not from the start of the unit of work. So the result
        does not depend on how records are cut into batches.
        """
        if tick.origin == RESET:
            self._reset_time(work, record)
            return False
        if tick.time > self._times.latest(work, record):
            metrics.TIMES_NOT_BELIEVED.labels(record.topic).inc()
            words = "the tick lies too far beyond the broker's own time"
            self._bury(work, record, Rejected(Reason.TIME_NOT_BELIEVED, words))
            return False
        if not work.advance_time(tick.time):
            return False
        left = DUE_AT_MOST
        most_octets = work.octets + UNIT_OCTETS
        for name, fall_due in self._due.items():
            table = work.tables[name]
            if not table.has_due(tick.time):
                continue
            keys = table.due(tick.time, at_most=left)
            for key in keys:
                try:
                    fall_due(work, key, tick.time)
                except Exception as error:
                    raise RowFailed(name, key) from error
                if work.octets > most_octets:
                    return True
            left -= len(keys)
            if not left:
                return True
        return False

    def _reset_time(self, work: UnitOfWork, record: ConsumerRecord) -> None:
        """Set the partition's time back to the broker's, but only if it leapt ahead.

        Rows that fell due by the leap are not restored (`deploy/decisions/0087`).
        """
        if self._times.has_leapt(work, record):
            work.turn_time_back(broker_time(record))


def set_aside(work: UnitOfWork, failed: RowFailed) -> Rejected:
    """Remove the due time of a row that fails when it falls due, so that ticks go on."""
    table = work.tables[failed.table]
    octets = table.get(failed.key)
    if octets is not None:
        table.put(failed.key, octets)
    words = f"{type(failed.__cause__).__name__} as a row of {failed.table} fell due"
    return Rejected(Reason.FAILED, words)
