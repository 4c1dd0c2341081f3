"""Reads the committed records of a topic, as many clients of aiokafka as it takes: one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from pipeline.cli.ask.waiting import ProgressDeadline
from pipeline.cli.backup.record_file import SavedRecord
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka.client.lenient_records import read_any_header_key
from pipeline.kafka.client.limits import MOST_FETCHED_OCTETS
from pipeline.kafka.login.options import aiokafka_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aiokafka.structs import ConsumerRecord

_POLL_MS: Final = 500
_PATIENCE_SECONDS: Final = 60


async def read_topic(
    bootstrap: str, topic: str, ends: Mapping[int, int]
) -> AsyncIterator[tuple[int, SavedRecord]]:
    """The partition and each committed record of a topic below these ends, in Kafka's order.

    Raises `CommandError` if the broker gives nothing for a minute.
    """
    if not any(ends.values()):
        return  # many topics of an installation are empty
    read_any_header_key()
    consumer = AIOKafkaConsumer(
        **aiokafka_options(bootstrap),
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MOST_FETCHED_OCTETS,
        fetch_max_bytes=MOST_FETCHED_OCTETS,
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in ends]
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        patience = ProgressDeadline(seconds=_PATIENCE_SECONDS)
        while where := {
            at.partition: position
            for at in partitions
            if (position := await consumer.position(at)) < ends[at.partition]
        }:
            patience.saw(where)
            if patience.is_over():
                raise CommandError(f"the broker gave nothing of {topic} for {_PATIENCE_SECONDS} s")
            for at, records in (await consumer.getmany(timeout_ms=_POLL_MS)).items():
                for record in records:
                    if record.offset < ends[at.partition]:
                        yield at.partition, _saved(record)
    finally:
        await consumer.stop()


def _saved(record: ConsumerRecord) -> SavedRecord:
    return SavedRecord(
        record.offset, record.timestamp, record.key, record.value, list(record.headers)
    )
