"""Which worker gets which partitions: equal for every topic, none while the topics are unknown."""

from __future__ import annotations

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocolMemberMetadata
from aiokafka.errors import StaleMetadata

from pipeline.engine.faust.assignor import CoPartitionAssignor

TOPICS = ["mo-raw", "mt-request", "clock"]


class Cluster:
    """What the leader knows about the topics."""

    def __init__(self, partitions: dict[str, int]) -> None:
        self._partitions = partitions

    def partitions_for_topic(self, topic: str) -> set[int] | None:
        count = self._partitions.get(topic)
        return None if count is None else set(range(count))


def members(*names: str) -> dict[str, ConsumerProtocolMemberMetadata]:
    return {name: ConsumerProtocolMemberMetadata(0, TOPICS, b"") for name in names}


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_member_gets_the_same_partitions_of_every_topic_and_all_are_given(count):
    cluster = Cluster(dict.fromkeys(TOPICS, 4))
    given = CoPartitionAssignor.assign(cluster, members(*(f"m{n}" for n in range(count))))
    owned = []
    for assignment in given.values():
        by_topic = {topic: tuple(partitions) for topic, partitions in assignment.assignment}
        assert len(set(by_topic.values())) <= 1
        owned += next(iter(by_topic.values()), ())
    assert sorted(owned) == [0, 1, 2, 3]


@pytest.mark.parametrize("known", [{}, {"mo-raw": 4, "clock": 4}])
def test_topics_that_the_leader_does_not_know_are_not_handed_out_empty(known):
    with pytest.raises(StaleMetadata, match="mt-request"):
        CoPartitionAssignor.assign(Cluster(known), members("m1"))
