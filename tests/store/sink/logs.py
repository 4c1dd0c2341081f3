"""Logs of two topics for a store to read. A process that is killed loads them without pytest."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

from pipeline.kafka import topics
from tests.store.kafka_fake import Log
from tests.store.samples import SAMPLES, kafka_record, mo_message

if TYPE_CHECKING:
    from tests.store.kafka_fake import Partition

RAW = SAMPLES[0]
TABLES = {topics.MO_MESSAGE: "mo_message_rows", topics.MO_RAW: "mo_raw_rows"}


def log_of(*, seed: int, records: int = 40, partitions: int = 3) -> Log:
    """Two topics with transaction markers between the records and at their ends."""
    dice = random.Random(seed)
    held: dict[Partition, list[Any]] = {}
    ends: dict[Partition, int] = {}
    for topic in TABLES:
        for partition in range(partitions):
            offset = 0
            held[topic, partition] = []
            for _ in range(dice.randint(0, records)):
                offset += dice.choice((0, 0, 0, 1))
                message = mo_message(message_id=f"{partition:016x}{offset:016x}")
                value = RAW if topic == topics.MO_RAW else message
                held[topic, partition].append(
                    kafka_record(topic, value, offset=offset, partition=partition)
                )
                offset += 1
            ends[topic, partition] = offset + dice.randint(0, 2)
    return Log(held, ends)


def expected(log: Log, topic: str) -> list[tuple[int, int]]:
    return sorted((p, r.offset) for (t, p), rs in log.records.items() for r in rs if t == topic)
