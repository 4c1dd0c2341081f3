"""Publishes very many records as a stream: one batch per partition, few batches in flight."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.avro.single_object import encode
from pipeline.cli.ask.broker import knock
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import topics
from pipeline.kafka.batches import batches_of
from pipeline.kafka.client import bounded_frames
from pipeline.kafka.login.options import aiokafka_options
from pipeline.process.peer_words import words_of_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.cli.ask.broker import Outgoing

bounded_frames.bound_frames()
FULL_BATCH_OCTETS: Final = 256 * 1024
RECORDS_TOGETHER: Final = 20_000  # of all partitions; several batches a partition
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
            f"the broker at {bootstrap} does not answer as it should: {words_of_error(error)}"
        ) from error


async def _publish(bootstrap: str, outgoing: Iterable[Outgoing]) -> int:
    producer = AIOKafkaProducer(
        **aiokafka_options(bootstrap),
        acks="all",
        enable_idempotence=True,
        max_batch_size=FULL_BATCH_OCTETS,
        request_timeout_ms=ANSWER_MS,
    )
    await producer.start()
    count = 0
    under_way: deque[asyncio.Future[Any]] = deque()
    try:
        for records in _together(outgoing):
            count += len(records)
            for partition, rows in (await _by_partition(producer, records)).items():
                for batch in batches_of(producer, rows):
                    sent = await producer.send_batch(batch, records[0].topic, partition=partition)
                    under_way.append(sent)
                    if len(under_way) > BATCHES_UNDER_WAY:
                        await under_way.popleft()
        await asyncio.gather(*under_way)
    finally:
        await producer.stop()
    return count


def _together(outgoing: Iterable[Outgoing]) -> Iterator[list[Outgoing]]:
    rest = iter(outgoing)
    while records := list(islice(rest, RECORDS_TOGETHER)):
        yield records


async def _by_partition(
    producer: AIOKafkaProducer, records: list[Outgoing]
) -> dict[int, list[tuple[bytes | None, bytes]]]:
    """Keys and values, as the keys have it."""
    count = len(await producer.partitions_for(records[0].topic))
    rows: defaultdict[int, list[tuple[bytes | None, bytes]]] = defaultdict(list)
    for one in records:
        rows[topics.partition_of(one.key or b"", count)].append((one.key, encode(one.record)))
    return rows
