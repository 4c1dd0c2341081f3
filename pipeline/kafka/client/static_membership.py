"""Static membership in a consumer group (KIP-345), for a worker with a name.

A restart within the session time-out gets the same partitions back, without a rebalance. aiokafka
0.14.0 sends the name only when it joins. If another member takes the name, the broker answers a
heartbeat or a commit without a name as if the session had ended. aiokafka then joins again and
takes the name back, and the two members remove each other for ever. So heartbeats and commits carry
the name here, and this process ends when the broker says that the name is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import HeartbeatRequest

from pipeline.kafka.client.messages import KafkaPythonRequest, errors_by_topic
from pipeline.process.stop import stop_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import aiokafka

FENCED_INSTANCE_ID: Final = 82  # Kafka's protocol guide, error codes
HEARTBEAT_VERSION: Final = 3
COMMIT_VERSION: Final = 7


class _CommitAnswer(NamedTuple):
    """As aiokafka's coordinator reads the answer to a commit."""

    topics: list[tuple[str, list[tuple[int, int]]]]


def heartbeat_with_name(request: HeartbeatRequest, name: str) -> KafkaPythonRequest:
    """The same heartbeat in the first version that has the name."""
    from kafka.protocol import consumer as kafka_python  # only a member with a name needs it

    of = vars(request)
    message = kafka_python.HeartbeatRequest(
        version=HEARTBEAT_VERSION,
        group_id=of["_group"],
        generation_id=of["_generation_id"],
        member_id=of["_member_id"],
        group_instance_id=name,
    )
    return KafkaPythonRequest(message, answer=kafka_python.HeartbeatResponse)


def commit_with_name(request: OffsetCommitRequest, name: str) -> KafkaPythonRequest:
    """The same commit in the first version that has the name."""
    from kafka.protocol import consumer as kafka_python  # only a member with a name needs it

    of = vars(request)
    of_topic = kafka_python.OffsetCommitRequest.OffsetCommitRequestTopic
    of_partition = of_topic.OffsetCommitRequestPartition
    message = kafka_python.OffsetCommitRequest(
        version=COMMIT_VERSION,
        group_id=of["_consumer_group"],
        generation_id_or_member_epoch=of["_consumer_group_generation_id"],
        member_id=of["_consumer_id"],
        group_instance_id=name,
        topics=[
            of_topic(
                name=topic,
                partitions=[
                    of_partition(
                        partition_index=partition,
                        committed_offset=offset,
                        committed_metadata=metadata,
                    )
                    for partition, offset, metadata in partitions
                ],
            )
            for topic, partitions in of["_topics"]
        ],
    )
    return KafkaPythonRequest(
        message,
        answer=kafka_python.OffsetCommitResponse,
        shape=lambda answer: _CommitAnswer(errors_by_topic(answer)),
    )


def keep_name(consumer: aiokafka.AIOKafkaConsumer, name: str) -> None:
    """Make the heartbeats and commits of a started consumer carry `name`.

    All requests to the group go through one function of aiokafka's coordinator.
    """
    coordinator = consumer._coordinator  # noqa: SLF001 - there is no other way in
    coordinator._send_req = _naming(coordinator._send_req, name)  # noqa: SLF001 - as above


def _naming(send: Callable[[Any], Awaitable[Any]], name: str) -> Callable[[Any], Awaitable[Any]]:
    async def send_with_name(request: Any) -> Any:
        if isinstance(request, HeartbeatRequest):
            request = heartbeat_with_name(request, name)
        elif isinstance(request, OffsetCommitRequest):
            request = commit_with_name(request, name)
        answer = await send(request)
        if FENCED_INSTANCE_ID in _errors_of(answer):
            stop_for(
                f"another worker has taken the name {name!r}: give each worker its own name"
                " (setting instance)"
            )
        return answer

    return send_with_name


def _errors_of(answer: Any) -> set[int]:
    """Every error code in an answer to a member."""
    if isinstance(answer, _CommitAnswer):
        return {error for _, partitions in answer.topics for _, error in partitions}
    return {answer.error_code} if hasattr(answer, "error_code") else set()
