"""An end counts only from a broker that another broker still calls the leader."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaTimeoutError, RequestTimedOutError
from aiokafka.protocol.metadata import MetadataResponse_v1
from aiokafka.structs import TopicPartition

from pipeline.kafka.client import confirmed_ends as module
from pipeline.kafka.client.confirmed_ends import confirmed_ends

TP = TopicPartition("mo-raw", 0)


def metadata(leader, *, brokers=(1, 2, 3)):
    """A broker's answer: who leads the partition."""
    return MetadataResponse_v1(
        [(number, f"broker-{number}", 9092, None) for number in brokers],
        1,
        [(0, "mo-raw", False, [(0, 0, leader, list(brokers), list(brokers))])],
    )


class Consumer:
    """aiokafka's: broker 1 believes that it leads until the end, the others know better."""

    def __init__(self, *, says, ends, brokers=(1, 2, 3), knows=1):
        self.cluster = ClusterMetadata()
        self.cluster.update_metadata(metadata(knows, brokers=brokers))
        self._client = SimpleNamespace(
            cluster=self.cluster, send=self.send, force_metadata_update=self.refresh
        )
        self._says, self._ends = says, ends
        self.asked = []

    async def end_offsets(self, partitions):
        return {tp: self._ends[self.cluster.leader_for_partition(tp)] for tp in partitions}

    async def send(self, node, request):
        self.asked.append(node)
        if isinstance(self._says[node], Exception):
            raise self._says[node]
        return metadata(self._says[node])

    async def refresh(self):
        self.cluster.update_metadata(metadata(2))
        return True


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(module, "ENDS_ASKED_AGAIN_SECONDS", 0)


async def test_the_end_of_a_leader_that_was_deposed_does_not_count():
    consumer = Consumer(says={1: 1, 2: 2, 3: 2}, ends={1: 7, 2: 8})
    assert await confirmed_ends(consumer, [TP]) == {TP: 8}


async def test_a_leader_is_confirmed_by_another_broker():
    consumer = Consumer(says={1: 1, 2: 1, 3: 1}, ends={1: 7})
    assert await confirmed_ends(consumer, [TP]) == {TP: 7}
    assert len(consumer.asked) == 1
    assert 1 not in consumer.asked


async def test_a_broker_that_does_not_answer_confirms_nothing():
    silent = RequestTimedOutError()
    consumer = Consumer(says={1: 2, 2: silent, 3: silent}, ends={1: 7, 2: 8})
    # After the refresh broker 2 is taken for the leader, and only broker 1 confirms it.
    assert await confirmed_ends(consumer, [TP]) == {TP: 8}
    assert consumer.asked[0] in (2, 3)
    assert consumer.asked[-1] == 1


async def test_with_one_broker_nobody_is_asked():
    consumer = Consumer(says={}, ends={1: 7}, brokers=(1,))
    assert await confirmed_ends(consumer, [TP]) == {TP: 7}
    assert consumer.asked == []


async def test_without_a_confirmed_leader_it_gives_up(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_SECONDS", -1)
    consumer = Consumer(says={1: 1, 2: 3, 3: 3}, ends={1: 7})
    with pytest.raises(KafkaTimeoutError):
        await confirmed_ends(consumer, [TP])
