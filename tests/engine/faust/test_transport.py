"""The consumer's fetches on a real broker: what they delay, and what they do not delay."""

from __future__ import annotations

import asyncio
import itertools
import os

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from pipeline.kafka.client.end_offsets import Ends
from pipeline.kafka.client.paced_consumer import PacedConsumer

pytestmark = pytest.mark.broker

PATIENCE_SECONDS = 60
LONGER_MS = 120_000
_tags = itertools.count()


@pytest.fixture
def tp(kafka: str) -> TopicPartition:
    name = f"transport{os.getpid()}-{next(_tags)}"
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics([NewTopic(name, 1, 1)])
    admin.close()
    return TopicPartition(name, 0)


@pytest.fixture
async def producer(kafka: str):
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        yield producer


async def test_end_offsets_come_while_a_fetch_waits_for_records(kafka, tp, producer):
    await producer.send_and_wait(tp.topic, b"1", partition=0)
    async with AIOKafkaConsumer(
        bootstrap_servers=kafka, fetch_max_wait_ms=LONGER_MS, request_timeout_ms=2 * LONGER_MS
    ) as waiting:
        waiting.assign([tp])
        waiting.seek(tp, 1)
        ends = Ends(lambda: AIOKafkaConsumer(bootstrap_servers=kafka))
        try:
            await waiting.getmany(timeout_ms=500)  # its fetch is at the broker now
            assert await asyncio.wait_for(ends.read([tp]), PATIENCE_SECONDS) == {tp: 1}
        finally:
            await ends.close()


async def test_what_comes_in_a_gap_comes_with_the_next_fetch(kafka, tp, producer):
    gap = [0.0]
    consumer = PacedConsumer(gap_seconds=lambda: gap[0], bootstrap_servers=kafka)
    await consumer.start()
    try:
        consumer.assign([tp])
        await consumer.seek_to_beginning()
        seen = []
        for number in range(3):
            gap[0] = 0.05 * number
            await producer.send_and_wait(tp.topic, b"%d" % number, partition=0)
            record = await asyncio.wait_for(consumer.getone(), PATIENCE_SECONDS)
            seen.append(record.value)
        assert seen == [b"0", b"1", b"2"]
    finally:
        await consumer.stop()


async def test_a_consumer_in_a_gap_ends_at_once(kafka, tp, producer):
    consumer = PacedConsumer(gap_seconds=lambda: LONGER_MS / 1000, bootstrap_servers=kafka)
    await consumer.start()
    consumer.assign([tp])
    await consumer.seek_to_beginning()
    await producer.send_and_wait(tp.topic, b"1", partition=0)
    record = await asyncio.wait_for(consumer.getone(), PATIENCE_SECONDS)
    assert record.value == b"1"
    await asyncio.wait_for(consumer.stop(), PATIENCE_SECONDS)
