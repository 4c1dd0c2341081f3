"""A record that cannot be worked on, whole, for the topic `dead-letter`."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipeline.records import DeadLetter, Header, Rejected, Stage

if TYPE_CHECKING:
    from aiokafka.structs import ConsumerRecord


def letter_from_record(
    record: ConsumerRecord,
    rejected: Rejected,
    *,
    stage: Stage,
    source: str = "",
    at: datetime | None = None,
) -> DeadLetter:
    """The same letter whenever the record is read again; `at` is the record's time in Kafka.

    The id is derived from where the record stands. The store's is another than the agent's: each
    may refuse the same record.
    """
    place = f"{record.topic}/{record.partition}/{record.offset}"
    if stage is Stage.STORE:
        place = f"{stage} {place}"
    return DeadLetter(
        dead_letter_id=hashlib.blake2b(place.encode(), digest_size=16).hexdigest(),
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        headers=[Header(name=name, value=value or b"") for name, value in record.headers],
        octets=record.value or b"",
        source=source,
        stage=stage,
        reason=rejected.reason,
        words=rejected.words,
        at=at or datetime.fromtimestamp(record.timestamp / 1000, UTC),
    )
