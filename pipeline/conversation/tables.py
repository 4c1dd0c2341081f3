"""The tables of the agent `conversation`, and the time at which it decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.engine.bounded_times import broker_time

if TYPE_CHECKING:
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.unit_of_work import UnitOfWork

SEEN: Final = "seen"
ASSEMBLIES: Final = "assemblies"
CONSENTS: Final = "consents"
REQUESTS: Final = "requests"
DIRECTORY: Final = "directory"
SUPPRESSIONS: Final = "suppressions"
OUTBOX: Final = "outbox"
SENT: Final = "sent"
HELD_MESSAGES: Final = "held"
HELD_IDS: Final = "held_ids"
#: The order is the tables' numbers in the changelog: append only.
TABLES: Final = (
    SEEN,
    ASSEMBLIES,
    CONSENTS,
    REQUESTS,
    DIRECTORY,
    SUPPRESSIONS,
    OUTBOX,
    SENT,
    HELD_MESSAGES,
    HELD_IDS,
)


def time_of_decision(work: UnitOfWork, told: datetime) -> datetime:
    """The time that the record states, or the partition's time if that is later."""
    return told if work.time is None or told > work.time else work.time


def time_of_sending(work: UnitOfWork, record: ConsumerRecord) -> datetime:
    """The broker's time of the record, or the partition's if later; no sender's clock counts."""
    stamped = broker_time(record)
    return stamped if work.time is None or stamped > work.time else work.time
