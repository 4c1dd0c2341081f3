"""Poison in every topic of a running worker, with a broker: each partition reaches its end."""

from __future__ import annotations

import os

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.producer import message_accumulator
from aiokafka.producer import producer as producing
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from pipeline.avro import single_object
from pipeline.kafka import readers, topics
from tests.bench.traffic import directory
from tests.engine.replaying_agent import OUTPUTS, PARTITIONS
from tests.engine.test_same_octets import LAST, Output, Run, ended
from tests.hostile.test_poison import HANDSET, poisons, raw

pytestmark = pytest.mark.broker
HOME = topics.partition_of(HANDSET.encode(), PARTITIONS)


class NotUtf8(str):
    """A header key that is sent as an octet that is not UTF-8."""

    def encode(self, *_: str) -> bytes:
        return b"\xff"


@pytest.fixture
def tag(kafka: str) -> str:
    """Topics for this test, with the names in `schemas/topics.toml` after a prefix."""
    tag = f"poison{os.getpid()}"
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


async def publish(kafka: str, tag: str, monkeypatch: pytest.MonkeyPatch) -> int:
    """Publish everything of `poisons` ten times, and a header key that is no text; count it."""
    # aiokafka's form in Python asks a header key for its octets.
    for module in (producing, message_accumulator):
        monkeypatch.setattr(module, "DefaultRecordBatchBuilder", _DefaultRecordBatchBuilderPy)
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka, max_request_size=1 << 21, max_batch_size=1_048_000
    )
    await producer.start()
    count = 0

    async def send(topic: str, value: bytes | None, **fields: object) -> None:
        nonlocal count
        await producer.send_and_wait(f"{tag}-{topic}", value, partition=HOME, **fields)  # type: ignore[arg-type]
        count += 1

    try:
        await send(topics.NUMBERS, single_object.encode(directory()))
        for topic in readers.READ_BY[readers.CONVERSATION]:
            await send(topic, b"junk", headers=[(NotUtf8("k"), b"x")])
            for poison in poisons(topic).values():
                for _ in range(2 if len(poison["value"] or b"") > 10_000 else 10):
                    headers = list(poison.get("headers", ()))
                    await send(
                        topic, poison["value"], key=poison.get("key") or b"", headers=headers
                    )
        await send(
            topics.MO_RAW, single_object.encode(raw("after all of it")), key=HANDSET.encode()
        )
        for partition in range(PARTITIONS):
            await producer.send_and_wait(f"{tag}-{topics.MO_RAW}", LAST, partition=partition)
    finally:
        await producer.stop()
    return count


@pytest.mark.timeout(240)
async def test_a_worker_takes_what_comes_after_poison_in_every_topic(
    kafka, tag, tmp_path, monkeypatch
):
    sent = await publish(kafka, tag, monkeypatch)
    assert sent > 500
    async with Output(kafka, tag, "one") as output:
        with Run(kafka, tag, "one", tmp_path / "one", batch_records=4_000) as run:
            await output.read_until(ended)
            assert run._process is not None
            assert run._process.poll() is None
    texts = [
        single_object.decode(value).text
        for partition in range(PARTITIONS)
        for _, value, _ in output.records[topics.MO_MESSAGE, partition]
    ]
    assert "after all of it" in texts
