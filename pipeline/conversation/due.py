"""A tick: what falls due by it, in the order of the tables, and whether it is believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.conversation.bounded_times import broker_time
from pipeline.conversation.refusals import bury
from pipeline.engine import metrics
from pipeline.engine.bounds import UNIT_OCTETS, RowFailed
from pipeline.records import Clock, Reason, Rejected

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from pipeline.conversation.bounded_times import TimeBounds
    from pipeline.engine.unit_of_work import UnitOfWork

#: Rows that fall due in one unit of work, of one tick: a clock may leap over a week.
DUE_AT_MOST = 4_000
#: Origin of the order to take back a time that has leapt (`twoway clock reset`).
RESET: Final = "reset"


class Due:
    """Lets rows fall due: `fall_due` says by table what is done with one."""

    def __init__(
        self,
        times: TimeBounds,
        fall_due: Mapping[str, Callable[[UnitOfWork, bytes, datetime], None]],
    ) -> None:
        self._times = times
        self._due = fall_due

    def take_tick(self, work: UnitOfWork, record: ConsumerRecord, tick: Clock) -> bool:
        """Let fall due what the time has come of; True when there may be more of it.

        How much is done at once is counted from the tick on, not from the unit's beginning: so it
        is the same whatever the batches are.
        """
        if tick.origin == RESET:
            self._reset_time(work, record)
            return False
        if tick.time > self._times.latest(work, record):
            metrics.TIMES_NOT_BELIEVED.labels(record.topic).inc()
            words = "the tick lies too far beyond the broker's own time"
            bury(work, record, Rejected(Reason.TIME_NOT_BELIEVED, words))
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
        """Take a time back that has leapt; what fell due by it stays done. A time that has not: no.

        `deploy/decisions/0087`.
        """
        if self._times.has_leapt(work, record):
            work.turn_time_back(broker_time(record))
