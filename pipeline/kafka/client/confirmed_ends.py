"""End offsets from a broker that leads the partition, and does not only believe so.

A broker that is cut off from the others, but not from us, still answers as the leader that it was.
Its end lacks what was acknowledged by the next leader since (deploy/decisions/0168). So another
broker is asked afterwards who leads. It knows, unless two brokers are cut off at once.
"""

from __future__ import annotations

import asyncio
import random
import time
from typing import TYPE_CHECKING, Any, Final

from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.protocol.metadata import MetadataRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from aiokafka import AIOKafkaConsumer
    from aiokafka.structs import TopicPartition

#: How old a consumer's knowledge of the leaders may be. It fetches from whom it takes for one.
LEADERS_KNOWN_MS: Final = 5_000
PATIENCE_SECONDS: Final = 30.0
ENDS_ASKED_AGAIN_SECONDS: Final = 0.05


async def confirmed_ends(
    consumer: AIOKafkaConsumer, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int]:
    """The end of each partition by the consumer's isolation, from its leader, now.

    Raises `KafkaTimeoutError` if no leader is confirmed for half a minute.
    """
    wanted = list(partitions)
    client: Any = consumer._client  # noqa: SLF001 - there is no other way in
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        before = _leaders(client.cluster, wanted)
        ends: dict[TopicPartition, int] = await consumer.end_offsets(wanted)
        if len(client.cluster.brokers()) < 2 or await _are_confirmed(client, before):
            return ends
        if time.monotonic() > deadline:
            raise KafkaTimeoutError(f"no leader is confirmed for {PATIENCE_SECONDS:.0f} s")
        await client.force_metadata_update()
        await asyncio.sleep(ENDS_ASKED_AGAIN_SECONDS)


def _leaders(
    cluster: ClusterMetadata, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, int | None]:
    return {tp: cluster.leader_for_partition(tp) for tp in partitions}


async def _are_confirmed(client: Any, leaders: Mapping[TopicPartition, int | None]) -> bool:
    """Whether these were the leaders all the while, as for each a broker beside it says."""
    if _leaders(client.cluster, leaders) != leaders:
        return False
    by_leader = {leader: _beside(client, leader) for leader in set(leaders.values())}
    said = await asyncio.gather(*(_said_by(client, it, leaders) for it in by_leader.values()))
    told = dict(zip(by_leader, said, strict=True))
    return all(told[leader].get(tp) == leader for tp, leader in leaders.items())


def _beside(client: Any, leader: int | None) -> int:
    """Any other broker."""
    nodes: list[int] = [broker.nodeId for broker in client.cluster.brokers()]
    others = [node for node in nodes if node != leader]
    return random.choice(others)  # noqa: S311 - no secret


async def _said_by(
    client: Any, node: int, leaders: Mapping[TopicPartition, int | None]
) -> Mapping[TopicPartition, int | None]:
    request = MetadataRequest(sorted({tp.topic for tp in leaders}))
    try:
        answer = await client.send(node, request)
    except KafkaError as error:
        if not error.retriable:
            raise
        return {}
    told = ClusterMetadata()
    told.update_metadata(answer)
    return _leaders(told, leaders)
