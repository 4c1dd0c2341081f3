"""The time at which the agent decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.engine.bounded_times import broker_time

if TYPE_CHECKING:
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.unit_of_work import UnitOfWork


def time_of_delivering(work: UnitOfWork, record: ConsumerRecord) -> datetime:
    """The broker's time of the record, or the partition's if that is later."""
    stamped = broker_time(record)
    return stamped if work.time is None or stamped > work.time else work.time
