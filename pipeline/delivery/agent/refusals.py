"""Records that cannot be worked on, and rows on which a due date fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiokafka.errors import KafkaError

from pipeline.avro import single_object
from pipeline.dead_letters import letter_from_record
from pipeline.engine import metrics
from pipeline.engine.bounds import Oversize, RowFailed
from pipeline.engine.due import set_aside
from pipeline.kafka import topics
from pipeline.records import Reason, Rejected, Stage

if TYPE_CHECKING:
    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.unit_of_work import UnitOfWork


def refuse_record(work: UnitOfWork, record: ConsumerRecord, error: Exception) -> None:
    """Put a record on which the agent failed to the dead letter, so that the next is taken."""
    if isinstance(error, RowFailed):
        bury_undelivered(work, record, set_aside(work, error))
        return
    reason = Reason.TOO_LARGE if isinstance(error, (Oversize, KafkaError)) else Reason.FAILED
    bury_undelivered(
        work, record, Rejected(reason, f"{type(error).__name__} while it was handed on")
    )


def bury_undelivered(work: UnitOfWork, record: ConsumerRecord, rejected: Rejected) -> None:
    """Write a record to the dead letters."""
    letter = letter_from_record(record, rejected, stage=Stage.DELIVERING, at=work.time)
    metrics.DEAD_LETTERS.labels(letter.stage, letter.reason).inc()
    work.send(topics.DEAD_LETTER, None, single_object.encode(letter))
