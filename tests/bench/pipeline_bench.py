"""Messages a second from mo-raw to mo-message and mt-command, beside bare aiokafka."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from pipeline import avro, topics
from pipeline.admin import create_topics
from pipeline.settings import Settings
from tests.bench.traffic import directory, mixed_traffic

if TYPE_CHECKING:
    from pathlib import Path

PARTITIONS = 4
BARE = "bench-bare"


async def fill(bootstrap: str, count: int) -> dict[str, int]:
    """Publish the traffic; gives records by topic."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, linger_ms=5, max_batch_size=1 << 17, enable_idempotence=True
    )
    await producer.start()
    sent: dict[str, int] = {}
    try:
        for partition in range(PARTITIONS):
            await producer.send(topics.NUMBERS, avro.encode(directory()), partition=partition)
        await producer.flush()
        for topic, key, value in mixed_traffic(count, handsets=20_000):
            await producer.send(topic, value, key=key)
            sent[topic] = sent.get(topic, 0) + 1
        await producer.flush()
    finally:
        await producer.stop()
    return sent


async def worked_off(bootstrap: str, wanted: int, seconds: float) -> float:
    """Records a second of input, from the first output seen to the last one."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    outputs = (topics.MO_PART, topics.MO_MESSAGE, topics.MT_COMMAND, topics.MT_REJECTION)
    try:
        consumer.assign([TopicPartition(t, p) for t in outputs for p in range(PARTITIONS)])
        await consumer.seek_to_beginning()
        seen = dict.fromkeys(outputs, 0)
        first = last = 0.0
        deadline = time.monotonic() + seconds
        while sum(seen.values()) - seen[topics.MO_MESSAGE] < wanted:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{seen} of {wanted} in {seconds} s")
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                last = time.monotonic()
                first = first or last
                seen[tp.topic] += len(records)
        return last - first
    finally:
        await consumer.stop()


async def bare(bootstrap: str, count: int) -> float:
    """Consume mo-raw and mt-request and produce each value as it is: nothing else, one process."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, linger_ms=5, max_batch_size=1 << 17, acks="all"
    )
    await consumer.start()
    await producer.start()
    try:
        sources = (topics.MO_RAW, topics.MT_REQUEST)
        consumer.assign([TopicPartition(t, p) for t in sources for p in range(PARTITIONS)])
        await consumer.seek_to_beginning()
        done, began = 0, 0.0
        while done < count:
            for tp, records in (await consumer.getmany(timeout_ms=200)).items():
                began = began or time.monotonic()
                for record in records:
                    await producer.send(BARE, record.value, key=record.key, partition=tp.partition)
                done += len(records)
        await producer.flush()
        return time.monotonic() - began
    finally:
        await consumer.stop()
        await producer.stop()


def run(bootstrap: str, home: Path, count: int) -> dict[str, float]:
    """Both rates, in one run on one broker."""
    from kafka import KafkaAdminClient
    from kafka.admin import NewTopic

    create_topics(bootstrap, Settings(kafka=bootstrap, partitions=PARTITIONS))
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(BARE, PARTITIONS, 1)])
    admin.close()
    sent = asyncio.run(fill(bootstrap, count))
    repeats = sum(1 for n in range(count) if n % 20 == 14)
    bare_seconds = asyncio.run(bare(bootstrap, sum(sent.values())))
    environment = {
        **{k: v for k, v in os.environ.items() if not k.startswith("TWOWAY_")},
        "TWOWAY_HOME": str(home),
        "TWOWAY_KAFKA": bootstrap,
        "TWOWAY_PARTITIONS": str(PARTITIONS),
        "TWOWAY_LOG_LEVEL": "warning",
    }
    home.mkdir(parents=True, exist_ok=True)
    log = (home / "bench-worker.log").open("wb")
    worker = subprocess.Popen(
        [sys.executable, "-m", "pipeline.cli", "worker"], env=environment, stdout=log, stderr=log
    )
    try:
        seconds = asyncio.run(worked_off(bootstrap, sum(sent.values()) - repeats, 60))
    finally:
        worker.terminate()
        worker.wait(20)
        log.close()
    return {
        "bare aiokafka": sum(sent.values()) / bare_seconds,
        "one worker, all stages": sum(sent.values()) / seconds,
    }
