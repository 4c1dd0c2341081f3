"""Static membership in a consumer group (KIP-345), for a worker with a name.

A restart within the session time-out gets the same partitions back, without a rebalance. aiokafka
0.14.0 sends the name only when it joins. If another member takes the name, the broker answers a
heartbeat or a commit without a name as if the session had ended. aiokafka then joins again and
takes the name back, and the two members remove each other for ever. So heartbeats and commits carry
the name here, and this process ends when the broker says that the name is taken.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.commit import OffsetCommitRequest
from aiokafka.protocol.group import HeartbeatRequest
from aiokafka.protocol.types import Array, Int16, Int32, Int64, Schema, String

from pipeline.process.stop import stop_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import aiokafka

FENCED_INSTANCE_ID: Final = 82  # Kafka's protocol guide, error codes
NO_EPOCH: Final = -1


class _HeartbeatAnswer(Response):
    API_KEY = 12
    API_VERSION = 3
    SCHEMA = Schema(("throttle_time_ms", Int32), ("error_code", Int16))


class _HeartbeatWithName(RequestStruct):
    """The first version of Heartbeat that has the name."""

    API_KEY = 12
    API_VERSION = 3
    RESPONSE_TYPE = _HeartbeatAnswer
    SCHEMA = Schema(
        ("group_id", String("utf-8")),
        ("generation_id", Int32),
        ("member_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
    )


class _CommitAnswer(Response):
    API_KEY = 8
    API_VERSION = 7
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "topics",
            Array(
                ("topic", String("utf-8")),
                ("partitions", Array(("partition", Int32), ("error_code", Int16))),
            ),
        ),
    )


class _CommitWithName(RequestStruct):
    """The first version of OffsetCommit that has the name."""

    API_KEY = 8
    API_VERSION = 7
    RESPONSE_TYPE = _CommitAnswer
    SCHEMA = Schema(
        ("group_id", String("utf-8")),
        ("generation_id", Int32),
        ("member_id", String("utf-8")),
        ("group_instance_id", String("utf-8")),
        (
            "topics",
            Array(
                ("topic", String("utf-8")),
                (
                    "partitions",
                    Array(
                        ("partition", Int32),
                        ("offset", Int64),
                        ("leader_epoch", Int32),
                        ("metadata", String("utf-8")),
                    ),
                ),
            ),
        ),
    )


class _Heartbeat(Request[_HeartbeatWithName]):
    API_KEY = 12

    def __init__(self, request: HeartbeatRequest, name: str) -> None:
        self._request, self._name = request, name

    def build(self, request_struct_class: type[_HeartbeatWithName]) -> _HeartbeatWithName:
        of = vars(self._request)
        return request_struct_class(
            of["_group"], of["_generation_id"], of["_member_id"], self._name
        )


class _Commit(Request[_CommitWithName]):
    API_KEY = 8

    def __init__(self, request: OffsetCommitRequest, name: str) -> None:
        self._request, self._name = request, name

    def build(self, request_struct_class: type[_CommitWithName]) -> _CommitWithName:
        of = vars(self._request)
        topics = [
            (
                topic,
                [(partition, offset, NO_EPOCH, metadata) for partition, offset, metadata in of_it],
            )
            for topic, of_it in of["_topics"]
        ]
        return request_struct_class(
            of["_consumer_group"],
            of["_consumer_group_generation_id"],
            of["_consumer_id"],
            self._name,
            topics,
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
            request = _Heartbeat(request, name)
        elif isinstance(request, OffsetCommitRequest):
            request = _Commit(request, name)
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
