"""The disk of a store or a worker is full while messages arrive: nothing is lost or doubled.

Only in the long form, and where a file system can be mounted. test_full_disk.py tests Kafka itself
on a full disk.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.kafka.admin import create_topics
from tests.bench.traffic import directory
from tests.conftest import PARTITIONS
from tests.hostile.lying_server import wait_until
from tests.hostile.scale import IS_LONG
from tests.hostile.small_disk import SmallDisk, small_disk
from tests.hostile.test_lying_kafka import free_port
from tests.hostile.test_poison import HANDSET, raw
from tests.store.samples import mo_message
from tests.support.running import environment_without_settings, run_cli

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from pipeline.cli.local.kafka import LocalKafka
    from pipeline.settings import Settings

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(not IS_LONG, reason="only in the long form: make hostile"),
    pytest.mark.timeout(600),
]

FIRST = 100
ENDED_FOR_LACK_OF_ROOM = 74  # EX_IOERR
ALL = 2_000
HERE = topics.partition_of(HANDSET.encode(), PARTITIONS)


class Process:
    """A process of ours whose home is on a small disk."""

    def __init__(self, name: str, *, home: Path, broker: LocalKafka, log: Path) -> None:
        self.port = free_port()
        port = "report_port" if name == "store" else "metrics_port"
        self.home = home
        self.settings = {
            "kafka": broker.bootstrap,
            port: str(self.port),
            "partitions": str(PARTITIONS),
        }
        self._name = name
        self.log = log
        self.start()

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli.main", self._name],
                env=environment_without_settings(self.settings | {"home": str(self.home)}),
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def asked(self, path: str, body: str = "") -> tuple[int, str]:
        """Status and text of an answer; 0 without one."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=body.encode() or None,
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:
            return 0, str(error)

    @property
    def is_ready(self) -> bool:
        return self.asked("/readyz")[0] == 200


@contextmanager
def running(name: str, disk: SmallDisk, broker: LocalKafka) -> Iterator[Process]:
    """A process that is ready; ended in the end."""
    log = disk.folder.with_name("log")
    process = Process(name, home=disk.folder, broker=broker, log=log)
    try:
        wait_until(lambda: process.is_ready)
        yield process
    except AssertionError as error:
        raise AssertionError(f"{error}\n{log.read_text()[-4_000:]}") from error
    finally:
        process.kill()


async def publish(broker: LocalKafka, topic: str, values: Sequence[bytes]) -> None:
    """To the handset's partition, acknowledged."""
    producer = AIOKafkaProducer(bootstrap_servers=broker.bootstrap)
    await producer.start()
    try:
        for value in values:
            await producer.send(topic, value, key=HANDSET.encode(), partition=HERE)
        await producer.flush()
    finally:
        await producer.stop()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "home") as made:
        yield made


@pytest.fixture
def broker(kafka_factory: Callable[[], LocalKafka], kafka_settings: Settings) -> LocalKafka:
    made = kafka_factory()
    made.start()
    create_topics(made.bootstrap, kafka_settings)
    return made


def messages(start: int, end: int) -> list[bytes]:
    """Messages, each with a kilobyte that no codec compresses to less than half."""
    return [
        single_object.encode(mo_message(message_id=f"{n:032x}", text=os.urandom(500).hex()))
        for n in range(start, end)
    ]


def stored(store: Process) -> tuple[int, int]:
    """Rows, and messages among them."""
    question = {
        "query": "SELECT count() AS rows, uniqExact(message_id) AS messages FROM mo_message"
    }
    status, text = store.asked("/sql", json.dumps(question))
    if status != 200:
        return -1, -1
    found: Mapping[str, int] = json.loads(text)
    return found["rows"], found["messages"]


async def test_a_store_on_a_full_disk_says_so_and_stores_all_once_there_is_room(
    disk: SmallDisk, broker: LocalKafka
) -> None:
    with running("store", disk, broker) as store:
        await publish(broker, topics.MO_MESSAGE, messages(0, FIRST))
        wait_until(lambda: stored(store) == (FIRST, FIRST))

        disk.fill()
        await publish(broker, topics.MO_MESSAGE, messages(FIRST, ALL))
        wait_until(lambda: store.asked("/readyz")[0] == 503)
        words = store.asked("/readyz")[1]
        assert "clickhouse has been failing" in words
        assert "space" in words
        assert 'twoway_store_unavailable{target="clickhouse"} 1.0' in store.asked("/metrics")[1]
        said = run_cli("status", home=disk.folder, settings=store.settings).stdout
        assert "is not ready (503): clickhouse has been failing" in said
        assert stored(store) == (FIRST, FIRST)  # what is there can be asked for

        disk.free()
        wait_until(lambda: stored(store) == (ALL, ALL))
        wait_until(lambda: store.is_ready)
        assert 'twoway_store_unavailable{target="clickhouse"} 0.0' in store.asked("/metrics")[1]


async def test_a_store_that_is_started_on_a_full_disk_waits_for_room(
    disk: SmallDisk, broker: LocalKafka
) -> None:
    with running("store", disk, broker) as store:
        await publish(broker, topics.MO_MESSAGE, messages(0, FIRST))
        wait_until(lambda: stored(store) == (FIRST, FIRST))
        disk.fill()
        store.kill()
        await publish(broker, topics.MO_MESSAGE, messages(FIRST, ALL))
        store.start()
        wait_until(lambda: "clickhouse has been failing" in store.asked("/readyz")[1])

        disk.free()
        wait_until(lambda: stored(store) == (ALL, ALL))


async def texts_of(broker: LocalKafka) -> list[str]:
    """The texts of all messages that were committed, in order."""
    place = TopicPartition(topics.MO_MESSAGE, HERE)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=broker.bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
    )
    await consumer.start()
    try:
        consumer.assign([place])
        await consumer.seek_to_beginning(place)
        found: list[str] = []
        while records := (await consumer.getmany(place, timeout_ms=1_500)).get(place):
            found += [single_object.decode(record.value).text for record in records]
        return found
    finally:
        await consumer.stop()


async def test_a_worker_on_a_full_disk_loses_and_doubles_nothing(
    disk: SmallDisk, broker: LocalKafka
) -> None:
    texts = [f"message {n}" for n in range(ALL)]
    raws = [single_object.encode(raw(text)) for text in texts]
    await publish(broker, topics.NUMBERS, [single_object.encode(directory())])
    with running("worker", disk, broker) as worker:
        await publish(broker, topics.MO_RAW, raws[:FIRST])
        await until_committed(broker, texts[:FIRST])

        disk.fill()
        await publish(broker, topics.MO_RAW, raws[FIRST:])
        # It ends loudly, whoever keeps it starts it again, and it ends again.
        for _ in range(2):
            assert worker.process.wait(60) == ENDED_FOR_LACK_OF_ROOM
            worker.start()
        assert "No space left on device" in worker.log.read_text()
        assert len(await texts_of(broker)) < ALL

        disk.free()
        worker.kill()
        worker.start()
        await until_committed(broker, texts)


async def until_committed(broker: LocalKafka, texts: list[str]) -> None:
    """Return once exactly these are committed, each once."""
    async with asyncio.timeout(120):
        while len(found := await texts_of(broker)) < len(texts):
            pass
    assert sorted(found) == sorted(texts)
