"""What one handset can send to delay a partition is processed in time, on a worker and a broker."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from pipeline.avro import single_object
from pipeline.directory.directory import numbers_from_toml
from pipeline.kafka import readers, topics
from pipeline.records import MoRaw
from pipeline.wire import http_form
from pipeline.wire.callback import MoCallback
from tests.engine.replaying_agent import OUTPUTS, PARTITIONS
from tests.engine.test_same_octets import LAST, Output, Run, count, ended

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.broker
HANDSET = "447700900999"
STOPS = 4_000
PIECES = 2_000
FIRST = 27_600_000_000
NUMBERS_TOML = "\n".join(f'[[number]]\nnumber = "{FIRST + n}"\nkind = "vmn"' for n in range(STOPS))


def stops() -> Iterator[MoRaw]:
    """STOP to each of this many numbers: one scope each, all in one row."""
    for n in range(STOPS):
        yield raw(n, "STOP", number=str(FIRST + n))


def pieces() -> Iterator[MoRaw]:
    """The first of 255 parts, again and again with other words."""
    for n in range(PIECES):
        yield raw(n, f"{n:0140d}", number=str(FIRST), udh="050003abff01")


def raw(n: int, text: str, *, number: str, udh: str = "") -> MoRaw:
    now = datetime.now(UTC)
    callback = MoCallback(
        handset=HANDSET,
        number=number,
        mo_msg_id=f"{n:032x}",
        timestamp="",
        charset="ISO-8859-1",
        udh=udh,
        octets=text.encode(),
    )
    return MoRaw(
        source="http",
        received_at=now,
        method="GET",
        content_type="",
        query=http_form.render(callback),
        octets=b"",
    )


@pytest.fixture
def tag(kafka: str, request: pytest.FixtureRequest) -> str:
    """Topics for each test, with the names in `schemas/topics.toml` after a prefix."""
    tag = f"one{os.getpid()}{request.node.callspec.id}"
    wanted = [
        NewTopic(f"{tag}-{name}", PARTITIONS, 1, topic_configs=topics.topics()[name].config)
        for name in readers.READ_BY[readers.CONVERSATION]
    ]
    wanted += [NewTopic(f"{tag}-one-{name}", PARTITIONS, 1) for name in OUTPUTS]
    changelog = f"{tag}-one-{topics.CONVERSATION_CHANGELOG}"
    compacted = {"cleanup.policy": "compact"}
    wanted.append(NewTopic(changelog, PARTITIONS, 1, topic_configs=compacted))
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics(wanted)
    admin.close()
    return tag


async def publish(kafka: str, tag: str, raws: Iterator[MoRaw]) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=5)
    await producer.start()
    try:
        numbers = numbers_from_toml(NUMBERS_TOML, origin="test", loaded_at=datetime.now(UTC))
        octets = single_object.encode(numbers)
        for partition in range(PARTITIONS):
            await producer.send_and_wait(f"{tag}-{topics.NUMBERS}", octets, partition=partition)
        for each in raws:
            value = single_object.encode(each)
            await producer.send(f"{tag}-{topics.MO_RAW}", value, key=HANDSET.encode())
        await producer.flush()
        for partition in range(PARTITIONS):
            await producer.send_and_wait(f"{tag}-{topics.MO_RAW}", LAST, partition=partition)
    finally:
        await producer.stop()


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("sent", "outputs"),
    [
        pytest.param(stops, {topics.MO_PART: STOPS, topics.MO_MESSAGE: STOPS}, id="stops"),
        pytest.param(pieces, {topics.MO_PART: PIECES}, id="pieces"),
    ],
)
async def test_what_one_handset_sends_is_worked_off_by_the_worker_that_began(
    kafka, tag, tmp_path, sent, outputs
):
    await publish(kafka, tag, sent())
    async with Output(kafka, tag, "one") as output:
        with Run(kafka, tag, "one", tmp_path / "one", batch_records=4_000) as run:
            await output.read_until(ended)
            assert run._process is not None
            assert run._process.poll() is None
    assert {topic: count(topic, output.records) for topic in outputs} == outputs
