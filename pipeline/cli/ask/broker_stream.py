"""Publishes very many records as a stream: one batch per partition, few batches in flight."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.avro.single_object import encode
from pipeline.cli.ask.broker import knock
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import topics

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.cli.ask.broker import Outgoing

FETCH_OCTETS: Final = 256 * 1024
BATCHES_UNDER_WAY: Final = 32
ANSWER_MS: Final = 30_000


def publish_stream(bootstrap: str, outgoing: Iterable[Outgoing]) -> int:
    """Publish keyed records of one topic in order and wait for all acknowledgements.

    Returns how many records there were.
    """
    knock(bootstrap)
    try:
        return asyncio.run(_publish(bootstrap, outgoing))
    except KafkaError as error:
        raise CommandError(
            f"the broker at {bootstrap} does not answer as it should: {error}"
        ) from error


async def _publish(bootstrap: str, outgoing: Iterable[Outgoing]) -> int:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        max_batch_size=FETCH_OCTETS,
        request_timeout_ms=ANSWER_MS,
    )
    await producer.start()
    try:
        stream = _Stream(producer)
        count = 0
        for one in outgoing:
            await stream.add(one)
            count += 1
        await stream.finish()
    finally:
        await producer.stop()
    return count


class _Stream:
    """One batch for each partition, sent when it is full."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._topic = ""
        self._partitions = 0
        self._batches: dict[int, Any] = {}
        self._under_way: deque[asyncio.Future[Any]] = deque()

    async def add(self, one: Outgoing) -> None:
        """Put a record into the batch of its partition, and send the batch when it is full."""
        if not self._partitions:
            self._topic = one.topic
            self._partitions = len(await self._producer.partitions_for(one.topic))
        partition = topics.partition_of(one.key or b"", self._partitions)
        value = encode(one.record)
        batch = self._batches.get(partition)
        if batch is None or batch.append(key=one.key, value=value, timestamp=None) is None:
            if batch is not None:
                await self._send(partition, batch)
            batch = self._batches[partition] = self._producer.create_batch()
            batch.append(key=one.key, value=value, timestamp=None)

    async def _send(self, partition: int, batch: Any) -> None:
        sent = await self._producer.send_batch(batch, self._topic, partition=partition)
        self._under_way.append(sent)
        if len(self._under_way) > BATCHES_UNDER_WAY:
            await self._under_way.popleft()

    async def finish(self) -> None:
        """Send what is left, and wait until the broker has everything."""
        for partition, batch in self._batches.items():
            await self._send(partition, batch)
        await asyncio.gather(*self._under_way)
