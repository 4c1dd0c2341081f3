"""Two workers on a real broker, killed and stopped: every record has its effect once, in order."""

from __future__ import annotations

import asyncio
import collections
import itertools
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from tests.engine.counting_agent import PARTITIONS, POISON, sources

pytestmark = pytest.mark.broker

SESSION_SECONDS = 10  # pipeline.engine.faust.app: broker_session_timeout
_tags = itertools.count()


@pytest.fixture
def tag(kafka: str) -> str:
    """Topics for this test."""
    tag = f"count{os.getpid()}-{next(_tags)}"
    append_time = {"message.timestamp.type": "LogAppendTime"}
    plain = [NewTopic(f"{tag}-{name}", PARTITIONS, 1) for name in ("out", "refused")]
    read = [NewTopic(name, PARTITIONS, 1, topic_configs=append_time) for name in sources(tag)]
    compacted = NewTopic(
        f"{tag}-changelog", PARTITIONS, 1, topic_configs={"cleanup.policy": "compact"}
    )
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics([*plain, *read, compacted])
    admin.close()
    return tag


class Workers:
    def __init__(self, bootstrap: str, tag: str, home) -> None:
        self._bootstrap, self._tag, self._home = bootstrap, tag, home
        self.processes: list[subprocess.Popen[bytes]] = []
        self.deaths = 0

    def add(self) -> None:
        number = len(self.processes)
        self.processes.append(self._start(number))

    def _start(self, number: int) -> subprocess.Popen[bytes]:
        home = self._home / f"worker{number}"
        home.mkdir(exist_ok=True)
        argv = [sys.executable, "-m", "tests.engine.counting_agent"]
        with (home / "log").open("ab") as log:
            return subprocess.Popen(
                [*argv, self._bootstrap, self._tag, str(home)], stdout=log, stderr=log
            )

    def kill(self, number: int) -> None:
        self.processes[number].kill()
        self.processes[number].wait()
        self.processes[number] = self._start(number)

    def revive(self) -> None:
        """Start again a worker that ended by itself, as a supervisor does."""
        for number, process in enumerate(self.processes):
            if process.poll() is not None:
                self.deaths += 1
                self.processes[number] = self._start(number)


@contextmanager
def running(workers: Workers):
    try:
        yield workers
    finally:
        for process in workers.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


class Outputs:
    """Reads the committed records as they appear."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, isolation_level="read_committed"
        )
        self._topic = topic
        self.seen: collections.Counter[str] = collections.Counter()
        self.counts: dict[bytes, int] = {}
        self.out_of_order = 0

    async def __aenter__(self) -> Outputs:
        await self._consumer.start()
        self._consumer.assign([TopicPartition(self._topic, p) for p in range(PARTITIONS)])
        await self._consumer.seek_to_beginning()
        return self

    async def __aexit__(self, *_) -> None:
        await self._consumer.stop()

    async def read(self) -> None:
        for records in (await self._consumer.getmany(timeout_ms=100)).values():
            for record in records:
                where, _, count = record.value.decode().rpartition(":")
                self.seen[where] += 1
                if int(count) != self.counts.get(record.key, 0) + 1:
                    self.out_of_order += 1
                self.counts[record.key] = int(count)


async def publish(bootstrap: str, tag: str, total: int):
    """Publish a part of the records at each step, so that there is work during every event."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=5, enable_idempotence=True)
    await producer.start()
    topics = sources(tag)
    try:
        for sent in range(total):
            key = b"2799%04d" % (sent % 500)
            await producer.send(topics[sent % 3 == 0], b"x" * 50, key=key)
            if sent % 100 == 99:
                yield sent + 1
        await producer.flush()
    finally:
        await producer.stop()


@pytest.mark.timeout(240)
async def test_kills_and_a_stop_longer_than_the_session_lose_and_double_nothing(
    kafka, tag, tmp_path
):
    total = 12_000
    workers = Workers(kafka, tag, tmp_path)
    stopped_at = 0.0
    with running(workers):
        workers.add()
        workers.add()
        async with Outputs(kafka, f"{tag}-out") as outputs:
            async for sent in publish(kafka, tag, total):
                await outputs.read()
                workers.revive()
                if sent in (4_000, 6_000, 10_000):
                    workers.kill(sent // 2_000 % 2)
                if sent == 8_000:
                    workers.processes[0].send_signal(signal.SIGSTOP)
                    stopped_at = time.monotonic()
            deadline = time.monotonic() + 150
            while sum(outputs.seen.values()) < total and time.monotonic() < deadline:
                await outputs.read()
                if stopped_at and time.monotonic() > stopped_at + SESSION_SECONDS + 4:
                    workers.processes[0].send_signal(signal.SIGCONT)
                    stopped_at = 0.0
                workers.revive()
            for _ in range(20):  # whatever would come twice comes now
                await outputs.read()
    assert len(outputs.seen) == total
    assert sum(outputs.seen.values()) == total
    assert outputs.out_of_order == 0
    assert sum(outputs.counts.values()) == total


async def test_a_record_that_fails_alone_is_refused_and_the_others_go_on(kafka, tag, tmp_path):
    producer = AIOKafkaProducer(bootstrap_servers=kafka)
    await producer.start()
    for value in (b"1", b"2", POISON, b"4"):
        await producer.send(sources(tag)[0], value, key=b"27991", partition=0)
    await producer.stop()
    workers = Workers(kafka, tag, tmp_path)
    with running(workers):
        workers.add()
        async with Outputs(kafka, f"{tag}-out") as outputs:
            deadline = time.monotonic() + 60
            while sum(outputs.seen.values()) < 3 and time.monotonic() < deadline:
                await outputs.read()
    assert outputs.counts == {b"27991": 3}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(f"{tag}-refused", 0)])
        refused = await asyncio.wait_for(consumer.getone(), timeout=30)
    finally:
        await consumer.stop()
    assert refused.value == b"2"
