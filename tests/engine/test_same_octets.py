"""Another worker plays the same topics in other batches, and gives the same octets.

The other worker runs the Python form of the modules that the first runs compiled.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from pipeline.avro import single_object
from pipeline.kafka import readers, topics
from pipeline.records import Clock
from tests.bench.traffic import directory, mixed_traffic
from tests.engine.replaying_agent import OUTPUTS, PARTITIONS

pytestmark = pytest.mark.broker

MESSAGES = 1_200
SLICE = 300
HANDSETS = 60
PATIENCE_SECONDS = 90
PYTHON_FORM = ("-X", "twoway=python")  # the first worker is compiled, where there is a compiler
LAST = b"the last record: no Avro, so it ends in the dead letter"

Records = dict[tuple[str, int], list[tuple[bytes | None, bytes | None, tuple]]]


@pytest.fixture
def tag(kafka: str) -> str:
    """Input topics, and the output topics of two runs over them."""
    tag = f"octets{os.getpid()}"
    append_time = {"message.timestamp.type": "LogAppendTime"}
    wanted = [
        NewTopic(f"{tag}-{name}", PARTITIONS, 1, topic_configs=append_time)
        for name in readers.READ_BY[readers.CONVERSATION]
    ]
    compacted = {"cleanup.policy": "compact"}
    for run in ("one", "two"):
        wanted += [NewTopic(f"{tag}-{run}-{name}", PARTITIONS, 1) for name in OUTPUTS]
        changelog = f"{tag}-{run}-{topics.CONVERSATION_CHANGELOG}"
        wanted.append(NewTopic(changelog, PARTITIONS, 1, topic_configs=compacted))
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics(wanted)
    admin.close()
    return tag


class Run:
    """A worker over the input topics, with its own group and its own output topics."""

    def __init__(
        self, bootstrap: str, tag: str, name: str, home, *, batch_records: int, options=()
    ) -> None:
        self._words = [sys.executable, *options, "-m", "tests.engine.replaying_agent"]
        self._words += [bootstrap, tag, name, str(home), str(batch_records)]
        self._log = home / "log"
        home.mkdir()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Run:
        self.start()
        return self

    def __exit__(self, *_) -> None:
        self.kill()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._words, stdout=log, stderr=log)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()


class Output:
    """The records that one run has committed, as they come."""

    def __init__(self, bootstrap: str, tag: str, run: str) -> None:
        self._prefix = f"{tag}-{run}-"
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, isolation_level="read_committed"
        )
        self.records: Records = {(t, p): [] for t in OUTPUTS for p in range(PARTITIONS)}

    async def __aenter__(self) -> Output:
        await self._consumer.start()
        self._consumer.assign([TopicPartition(self._prefix + t, p) for t, p in self.records])
        await self._consumer.seek_to_beginning()
        return self

    async def __aexit__(self, *_) -> None:
        await self._consumer.stop()

    async def read_until(self, done) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not done(self.records):
                for tp, records in (await self._consumer.getmany(timeout_ms=200)).items():
                    where = tp.topic.removeprefix(self._prefix), tp.partition
                    self.records[where] += [(r.key, r.value, tuple(r.headers)) for r in records]


def count(topic: str, records: Records) -> int:
    return sum(len(held) for (name, _), held in records.items() if name == topic)


def ended(records: Records) -> bool:
    letters = [records[topics.DEAD_LETTER, p] for p in range(PARTITIONS)]
    return all(held and single_object.decode(held[-1][1]).octets == LAST for held in letters)


async def publish(bootstrap: str, tag: str):
    """Publish the input in parts: traffic, ticks that leap, bad data, and a last record."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    now = datetime.now(UTC)

    async def to_each(topic: str, value: bytes) -> None:
        for partition in range(PARTITIONS):
            await producer.send_and_wait(f"{tag}-{topic}", value, partition=partition)

    try:
        await to_each(topics.NUMBERS, single_object.encode(directory()))
        for number, (topic, key, value) in enumerate(mixed_traffic(MESSAGES, handsets=HANDSETS)):
            await producer.send(f"{tag}-{topic}", value, key=key)
            if number % SLICE == SLICE - 1:
                await producer.flush()
                leap = now + timedelta(hours=(number + 1) // SLICE * 60)
                await to_each(topics.CLOCK, single_object.encode(Clock(time=leap, origin="test")))
                await to_each(topics.MO_RAW, b"no Avro either")
                yield
        await to_each(topics.MO_RAW, LAST)
    finally:
        await producer.stop()


@pytest.mark.timeout(240)
async def test_another_worker_in_other_batches_killed_on_the_way_writes_the_same_octets(
    kafka, tag, tmp_path
):
    with ExitStack() as running:
        async with Output(kafka, tag, "one") as one, Output(kafka, tag, "two") as two:
            small = running.enter_context(Run(kafka, tag, "one", tmp_path / "one", batch_records=7))
            kills = 0
            async for _ in publish(kafka, tag):
                if kills < 2:  # in the midst of what it has just been given
                    seen = count(topics.MO_PART, one.records)
                    await one.read_until(lambda r, s=seen: count(topics.MO_PART, r) > s)
                    small.kill()
                    small.start()
                    kills += 1
            other = Run(
                kafka, tag, "two", tmp_path / "two", batch_records=4_000, options=PYTHON_FORM
            )
            running.enter_context(other)
            await one.read_until(ended)
            await two.read_until(ended)
    assert one.records == two.records
    written = {t for (t, _), held in one.records.items() if held}
    assert written == set(OUTPUTS) - {topics.ACCOUNT_CHARGE}  # the directory has no account
    assert count(topics.MO_PART, one.records) > MESSAGES / 2
