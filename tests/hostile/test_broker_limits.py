"""The records that the broker itself refuses in topics that others write."""

from __future__ import annotations

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.kafka import readers, topics
from tests.hostile.scale import IS_LONG, SCALE, dice_for

pytestmark = pytest.mark.broker


async def outcome(bootstrap: str, topic: str, value: bytes, codec: str | None) -> str:
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=codec,
        max_request_size=1 << 30,
        max_batch_size=1 << 30,
        request_timeout_ms=20_000,
        retry_backoff_ms=200,
    )
    await producer.start()
    try:
        await producer.send_and_wait(topic, value, partition=0)
    except KafkaError as error:
        return type(error).__name__
    finally:
        await producer.stop()
    return "taken"


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("octets", [2_000_000, 20_000_000])
async def test_what_is_too_large_is_refused_however_it_is_compressed(kafka, codec, octets):
    found = await outcome(kafka, topics.MT_REQUEST, bytes(octets), codec)
    assert found == "MessageSizeTooLargeError"
    assert await outcome(kafka, topics.MT_REQUEST, b"x", codec) == "taken"


async def test_two_hundred_megabytes_of_zeros_are_refused(kafka):
    assert await outcome(kafka, topics.MT_REQUEST, bytes(200_000_000), "gzip") != "taken"
    assert await outcome(kafka, topics.MT_REQUEST, b"x", None) == "taken"


@pytest.mark.skipif(not IS_LONG, reason="only in the long form: make hostile")
@pytest.mark.timeout(1200)
async def test_of_any_size_codec_and_topic_what_is_too_large_is_refused(kafka, record_property):
    """Sizes around the limit and far above it; the topic takes the next record each time."""
    dice = dice_for("sizes for a broker")
    others_write = list(readers.READ_BY[readers.CONVERSATION])
    tries = 6 * SCALE
    for _ in range(tries):
        topic = dice.choice(others_write)
        codec = dice.choice([None, "gzip", "snappy", "lz4", "zstd"])
        limit = topics.topics()[topic].max_message_octets
        above = dice.choice([dice.randint(1, 200), dice.randint(1, limit), 9 * limit])
        value = bytes([dice.randrange(256)]) * (limit + above)
        assert await outcome(kafka, topic, value, codec) == "MessageSizeTooLargeError"
        assert (
            await outcome(kafka, topic, value[: limit - dice.randint(200, 9_000)], codec) == "taken"
        )
    record_property("tried", 2 * tries)


def test_every_topic_states_its_limit():
    for name in readers.READ_BY[readers.CONVERSATION]:
        assert topics.topics()[name].config["compression.type"] == "uncompressed"
        assert topics.topics()[name].config["max.message.bytes"] == "1048588"
