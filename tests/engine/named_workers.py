"""Counting agents with names, their logs, and their counts of the published records."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from tests.engine.counting_agent import PARTITIONS, STALL_SECONDS, sources

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable
    from pathlib import Path

PATIENCE_SECONDS = 90.0
_tags = itertools.count()


def create_topics(bootstrap: str) -> str:
    """Create topics for one test; return the tag with which their names begin."""
    tag = f"named{os.getpid()}-{next(_tags)}"
    append_time = {"message.timestamp.type": "LogAppendTime"}
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics(
        [
            *(NewTopic(f"{tag}-{name}", PARTITIONS, 1) for name in ("out", "refused")),
            *(NewTopic(name, PARTITIONS, 1, topic_configs=append_time) for name in sources(tag)),
            NewTopic(
                f"{tag}-changelog", PARTITIONS, 1, topic_configs={"cleanup.policy": "compact"}
            ),
        ]
    )
    admin.close()
    return tag


def until(question: Callable[[], bool], what: Callable[[], str]) -> None:
    """Ask until the condition holds."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not question():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


class NamedWorker:
    """One counting agent; its log covers all its lives."""

    def __init__(
        self,
        bootstrap: str,
        tag: str,
        home: Path,
        *,
        name: str = "",
        stall_seconds: str = STALL_SECONDS,
    ) -> None:
        self._words = (bootstrap, tag, str(home), stall_seconds, name)
        self._log = home / "log"
        self.process: subprocess.Popen[bytes] | None = None
        home.mkdir(parents=True)

    def start(self) -> None:
        argv = [sys.executable, "-m", "tests.engine.counting_agent", *self._words]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log)

    def end(self, number: signal.Signals) -> int:
        """Send the signal; return the exit status of the process."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)

    def said(self) -> str:
        return self._log.read_text(errors="replace")

    def assignments(self) -> list[str]:
        """The partitions that the worker got, for each assignment that was not empty."""
        return re.findall(r"\bpartitions (\[[\d, ]*\])", self.said())

    def until_given(self, partitions: list[int]) -> None:
        until(lambda: self.assignments()[-1:] == [str(partitions)], self.said)


async def count_one(bootstrap: str, tag: str) -> None:
    """Publish a record to each partition, and wait until each has been processed."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
    await consumer.start()
    await producer.start()
    try:
        consumer.assign([TopicPartition(f"{tag}-out", number) for number in range(PARTITIONS)])
        await consumer.seek_to_end()
        for number in range(PARTITIONS):
            key = b"2799%d" % number
            await producer.send_and_wait(sources(tag)[0], b"x", key=key, partition=number)
        done: set[int] = set()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(done) < PARTITIONS:
            assert time.monotonic() < deadline, f"only {done} are worked off"
            done |= {tp.partition for tp in await consumer.getmany(timeout_ms=200)}
    finally:
        await producer.stop()
        await consumer.stop()
