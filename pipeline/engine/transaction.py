"""One Kafka transaction: batches of records, the offsets, and what ended it where it failed."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any, Final

from aiokafka.errors import (
    IllegalOperation,
    InvalidTimestampError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
)
from aiokafka.structs import OffsetAndMetadata, TopicPartition

from pipeline.engine.state.rows import Reached
from pipeline.kafka.batches import batches_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiokafka import AIOKafkaProducer

    from pipeline.engine.outputs import OutputPartition, OutputRows
    from pipeline.engine.state.state import Point

REASON_SECONDS: Final = 1.0
#: What a broker says of what a transaction writes, and not of itself: again gives the same.
REFUSED_FOR_WHAT_IT_WRITES: Final = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidTimestampError,
    PolicyViolationError,
)

_Sent = tuple["asyncio.Future[Any]", int]  # of a batch, and how many records it has


async def write_transaction(
    producer: AIOKafkaProducer,
    outputs: Mapping[OutputPartition, OutputRows],
    *,
    changelog: OutputPartition,
    group: str,
    offsets: Mapping[TopicPartition, OffsetAndMetadata],
) -> Reached | None:
    """Write `outputs` and `offsets`, all or none; gives where the changelog goes on.

    None: the broker did not say where. Raises what aiokafka raises; then it may not be known
    whether the transaction is visible.
    """
    await producer.begin_transaction()
    sent: list[_Sent] = []
    reached: list[_Sent] = []
    try:
        for target, rows in outputs.items():
            batches = await _send(producer, *target, rows)
            sent += batches
            if target[0] == changelog[0]:
                reached = batches
        # One after the other: for either the broker asks itself about the transaction, and of
        # two questions at a time it refuses one.
        await asyncio.gather(*(future for future, _ in sent))
        await producer.send_offsets_to_transaction(offsets, group)
    except IllegalOperation:
        await _raise_what_ended(sent)
        raise
    await producer.commit_transaction()
    return _reached(reached)


async def _raise_what_ended(sent: list[_Sent]) -> None:
    """Raise what ended a transaction: the producer tells it to the batches it had in hand.

    To whoever calls it next it says only that there is no transaction.
    """
    futures = [future for future, _ in sent]
    if futures:
        await asyncio.wait(futures, timeout=REASON_SECONDS)
    errors = [f.exception() for f in futures if f.done() and not f.cancelled()]
    for error in errors:
        if error is not None:
            raise error


def _reached(batches: list[_Sent]) -> Reached | None:
    """Where the changelog goes on after its last batch; None when the broker did not say."""
    future, rows = batches[-1]
    offset = future.result().offset
    return Reached(offset + rows, int(time.time() * 1000)) if offset >= 0 else None


def offsets_of(point: Point, partition: int) -> dict[TopicPartition, OffsetAndMetadata]:
    """The point as offsets to commit."""
    metadata = point.metadata()
    return {
        TopicPartition(topic, partition): OffsetAndMetadata(offset, metadata)
        for topic, offset in point.offsets.items()
    }


async def _send(
    producer: AIOKafkaProducer, topic: str, partition: int, rows: OutputRows
) -> list[_Sent]:
    """Hand `rows` over in whole batches."""
    return [
        (await producer.send_batch(batch, topic, partition=partition), batch.record_count())
        for batch in batches_of(producer, rows)
    ]
