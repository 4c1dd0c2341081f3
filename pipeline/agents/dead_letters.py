"""What an agent cannot work on, whole, for the topic `dead-letter`."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipeline import topics
from pipeline.records import DeadLetter, Header, Rejected, Stage

if TYPE_CHECKING:
    from aiokafka.structs import ConsumerRecord

_STAGES: Final = {topics.MT_REQUEST: Stage.GATE, topics.CONSENT_REQUEST: Stage.CONSENT}


def letter_from_record(
    record: ConsumerRecord, rejected: Rejected, *, source: str = "", at: datetime | None = None
) -> DeadLetter:
    """The letter of a record; its id is derived from where the record stands."""
    where = f"{record.topic}/{record.partition}/{record.offset}"
    return DeadLetter(
        dead_letter_id=hashlib.blake2b(where.encode(), digest_size=16).hexdigest(),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        headers=[Header(name=name, value=value) for name, value in record.headers],
        octets=record.value or b"",
        source=source,
        stage=_STAGES.get(record.topic, Stage.NORMALISE),
        reason=rejected.reason,
        words=rejected.words,
        at=at or datetime.fromtimestamp(record.timestamp / 1000, UTC),
    )
