"""A broker that cannot write keeps every record that it acknowledged until it has room again.

RLIMIT_FSIZE stands for the full disk: a write beyond it fails with EFBIG (getrlimit(2)), as a write
on a full disk fails with ENOSPC.
"""

from __future__ import annotations

import asyncio
import resource
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaConsumer, TopicPartition

from ingest.publish.publisher import KafkaPublisher
from pipeline.kafka import topics

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipeline.cli.local.kafka import LocalKafka

pytestmark = pytest.mark.broker

#: The broker's index files are 10 MiB from their beginning on.
ROOM = 16 << 20
RECORD = 64 * 1024
MOST = 4 * (ROOM // RECORD)


async def publish_until_refused(bootstrap: str) -> tuple[int, int]:
    """How many records were acknowledged, and how many were published."""
    publisher = KafkaPublisher(lambda: bootstrap, timeout_seconds=3.0)
    publisher.start()
    while not publisher.is_reachable:  # noqa: ASYNC110 - nothing tells when
        await asyncio.sleep(0.05)
    acknowledged = 0
    try:
        for number in range(MOST):
            value = b"%08d" % number + bytes(RECORD)
            if not await publisher.publish(topics.MO_RAW, key=b"447700900001", value=value):
                return acknowledged, number + 1
            acknowledged += 1
    finally:
        await publisher.stop()
    return acknowledged, MOST


def numbers_in(bootstrap: str) -> list[int]:
    """The numbers of all records of the topic."""
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False)
    try:
        places = [
            TopicPartition(topics.MO_RAW, partition)
            for partition in consumer.partitions_for_topic(topics.MO_RAW)
        ]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        consumer.seek_to_beginning()
        found: list[int] = []
        while any(consumer.position(place) < ends[place] for place in places):
            for records in consumer.poll(timeout_ms=1_000).values():
                found += [int(record.value[:8]) for record in records]
        return found
    finally:
        consumer.close()


async def test_what_was_acknowledged_outlives_a_full_disk(
    empty_kafka: Callable[[], LocalKafka],
) -> None:
    broker = await asyncio.to_thread(empty_kafka)
    resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (ROOM, ROOM))
    acknowledged, published = await publish_until_refused(broker.bootstrap)
    assert 0 < acknowledged < published
    broker.kill()
    broker.start()
    found = numbers_in(broker.bootstrap)
    assert set(range(acknowledged)) <= set(found) <= set(range(published))
