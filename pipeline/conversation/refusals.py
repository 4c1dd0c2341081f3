"""Refuses records that cannot be processed, and rows on which a due date fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from aiokafka.errors import KafkaError

from pipeline.avro import single_object
from pipeline.dead_letters import letter_from_record
from pipeline.engine import metrics
from pipeline.engine.bounds import Oversize, RowFailed
from pipeline.engine.due import set_aside
from pipeline.kafka import topics
from pipeline.records import Reason, Record, Rejected, Stage
from pipeline.wrong_deploy import WrongDeploy

if TYPE_CHECKING:
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.unit_of_work import UnitOfWork

UNREADABLE_IN_A_ROW: Final = 10
_STAGES: Final = {
    topics.MT_REQUEST: Stage.GATE,
    topics.CONSENT_REQUEST: Stage.CONSENT,
    topics.FORGET_REQUEST: Stage.CONSENT,
}


class Refusals:
    """Refuses records on which a stage failed, and detects a wrong deployment."""

    def __init__(self) -> None:
        self.unreadable_rows = 0  # in a row

    def refuse(self, work: UnitOfWork, record: ConsumerRecord, error: Exception) -> None:
        """Write a record on which a stage failed to the dead letters; the next record is taken.

        A record that others write never stops a worker. But ten rows of our own in a row that
        cannot be read raise `WrongDeploy`.
        """
        cause = error.__cause__ if isinstance(error, RowFailed) else error
        if isinstance(cause, msgspec.MsgspecError):
            self.unreadable_rows += 1
            if self.unreadable_rows >= UNREADABLE_IN_A_ROW:
                words = f"{self.unreadable_rows} rows of the state in a row cannot be read"
                raise WrongDeploy(f"{words}: {type(cause).__name__}") from error
        else:
            self.unreadable_rows = 0
        if isinstance(error, RowFailed):
            bury(work, record, set_aside(work, error))
            return
        reason = Reason.TOO_LARGE if isinstance(error, (Oversize, KafkaError)) else Reason.FAILED
        words = f"{type(error).__name__} while the record was processed"
        bury(work, record, Rejected(reason, words))


def bury_stranger(work: UnitOfWork, record: ConsumerRecord, value: Record) -> None:
    """Refuse a record of a kind that does not belong in its topic."""
    words = f"a {type(value).__name__} does not belong in {record.topic}"
    bury(work, record, Rejected(Reason.UNREADABLE_RECORD, words))


def bury(
    work: UnitOfWork,
    record: ConsumerRecord,
    rejected: Rejected,
    *,
    source: str = "",
    at: datetime | None = None,
) -> None:
    """Write a refused record to the dead letters."""
    stage = _STAGES.get(record.topic, Stage.NORMALISE)
    letter = letter_from_record(record, rejected, stage=stage, source=source, at=at or work.time)
    metrics.DEAD_LETTERS.labels(letter.stage, letter.reason).inc()
    work.send(topics.DEAD_LETTER, None, single_object.encode(letter))
