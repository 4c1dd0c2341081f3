"""Writes one Kafka transaction: batches of records, and the offsets."""

from __future__ import annotations

import asyncio
import time
from types import MappingProxyType
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
    from collections.abc import Mapping, Sequence

    from aiokafka import AIOKafkaProducer

    from pipeline.engine.outputs import OutputPartition, OutputRows
    from pipeline.engine.state.state import Point
    from pipeline.process.tracing import Headers

REASON_SECONDS: Final = 1.0
#: What a broker says of what a transaction writes, and not of itself: again gives the same.
REFUSED_FOR_WHAT_IT_WRITES: Final = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidTimestampError,
    PolicyViolationError,
)

NO_HEADERS: Final[Mapping[OutputPartition, Sequence[Headers]]] = MappingProxyType({})

_Sent = tuple["asyncio.Future[Any]", int]  # the future of a batch, and its number of records


async def write_transaction(
    producer: AIOKafkaProducer,
    outputs: Mapping[OutputPartition, OutputRows],
    *,
    changelog: OutputPartition,
    group: str,
    offsets: Mapping[TopicPartition, OffsetAndMetadata],
    headers: Mapping[OutputPartition, Sequence[Headers]] = NO_HEADERS,
) -> Reached | None:
    """Write `outputs` and `offsets`, all or none; returns the next position in the changelog.

    `headers` has those of the first records of a partition, in their order; the others have none.

    None: the broker did not say it. Raises aiokafka's errors; after an error it may not be known
    whether the transaction was committed.
    """
    await producer.begin_transaction()
    sent: list[_Sent] = []
    reached: list[_Sent] = []
    try:
        for target, rows in outputs.items():
            batches = await _send(producer, *target, rows, headers.get(target, ()))
            sent += batches
            if target[0] == changelog[0]:
                reached = batches
        # Records first, then offsets: for each the broker verifies the transaction, and it refuses
        # one of two such checks at the same time.
        await asyncio.gather(*(future for future, _ in sent))
        await producer.send_offsets_to_transaction(offsets, group)
    except IllegalOperation:
        await _raise_what_ended(sent)
        raise
    await producer.commit_transaction()
    return _reached(reached)


async def _raise_what_ended(sent: list[_Sent]) -> None:
    """Raise the error that ended a transaction, which is on the futures of its batches.

    A later call to the producer only raises that no transaction is open.
    """
    futures = [future for future, _ in sent]
    if futures:
        await asyncio.wait(futures, timeout=REASON_SECONDS)
    errors = [f.exception() for f in futures if f.done() and not f.cancelled()]
    for error in errors:
        if error is not None:
            raise error


def _reached(batches: list[_Sent]) -> Reached | None:
    """The position in the changelog after its last batch; None if the broker did not say it."""
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
    producer: AIOKafkaProducer,
    topic: str,
    partition: int,
    rows: OutputRows,
    headers: Sequence[Headers],
) -> list[_Sent]:
    """Hand `rows` over in whole batches."""
    return [
        (await producer.send_batch(batch, topic, partition=partition), batch.record_count())
        for batch in batches_of(producer, rows, headers)
    ]
