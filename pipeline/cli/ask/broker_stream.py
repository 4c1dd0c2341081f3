"""Publishing very many records, as they come: batches by partition, few of them under way."""

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
from pipeline.kafka.client import bounded_frames
from pipeline.process.peer_words import words_of_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.cli.ask.broker import Outgoing

bounded_frames.install()
FETCH_OCTETS: Final = 256 * 1024
BATCHES_UNDER_WAY: Final = 32
ANSWER_MS: Final = 30_000


def publish_stream(bootstrap: str, outgoing: Iterable[Outgoing]) -> int:
    """Publish keyed records of one topic in their order, wait for all; how many there were."""
    knock(bootstrap)
    try:
        return asyncio.run(_publish(bootstrap, outgoing))
    except KafkaError as error:
        raise CommandError(
            f"the broker at {bootstrap} does not answer as it should: {words_of_error(error)}"
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
    """A batch a partition, sent when it is full."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer
        self._topic = ""
        self._partitions = 0
        self._batches: dict[int, Any] = {}
        self._under_way: deque[asyncio.Future[Any]] = deque()

    async def add(self, one: Outgoing) -> None:
        """Put a record into its partition's batch."""
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
