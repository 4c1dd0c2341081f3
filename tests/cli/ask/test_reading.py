"""Records between two offsets, read again and again by one consumer, as `clock advance` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import NewTopic

from pipeline.cli.ask.broker import open_admin, open_consumer
from pipeline.cli.ask.reading import records_between

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.broker

TOPIC = "read-again"
SHORT, LONG = TopicPartition(TOPIC, 0), TopicPartition(TOPIC, 1)
ENDS = {SHORT: 1, LONG: 1_200}  # a poll of kafka-python has 500 records at most


@pytest.fixture(scope="module")
def two_partitions(kafka: str) -> Iterator[str]:
    """A topic with a partition that one poll reads, and one that takes several."""
    with open_admin(kafka) as admin:
        admin.create_topics([NewTopic(TOPIC, 2, 1)])
        producer = KafkaProducer(bootstrap_servers=kafka)
        for at, count in ENDS.items():
            for number in range(count):
                producer.send(TOPIC, value=b"%d" % number, partition=at.partition)
        producer.flush()
        producer.close()
        yield kafka
        admin.delete_topics([TOPIC])


@pytest.mark.parametrize(
    "then",
    [
        pytest.param({SHORT: 0, LONG: 1_199}, id="the same partitions"),
        pytest.param({SHORT: 0}, id="the one that was read first"),
        pytest.param({LONG: 1_199}, id="the one that was read last"),
    ],
)
def test_a_partition_that_was_read_to_its_end_is_read_again(
    two_partitions: str, then: dict[TopicPartition, int]
) -> None:
    with open_consumer(two_partitions) as consumer:
        whole = list(records_between(consumer, starts=dict.fromkeys(ENDS, 0), ends=ENDS))
        assert len(whole) == sum(ENDS.values())

        again = list(records_between(consumer, starts=then, ends=ENDS))

    assert sorted((each.partition, each.offset) for each in again) == sorted(
        (at.partition, offset) for at, start in then.items() for offset in range(start, ENDS[at])
    )
