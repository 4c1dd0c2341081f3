"""The committed offsets of a group, where an error is an error.

A broker that is not the group's coordinator any more, or has not loaded the group yet, answers
OffsetFetch with an error for the whole group and without any partition (from version 2 on).
aiokafka 0.14.0 reads only the errors of partitions. So it takes that answer for a group that has
committed nothing, and a consumer begins at the oldest record. Brokers answer so for a moment
whenever one of them is lost (deploy/decisions/0166).
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    KafkaError,
    NoError,
    NotCoordinatorForGroupError,
    for_code,
)
from aiokafka.protocol.commit import OffsetFetchRequest
from aiokafka.structs import OffsetAndMetadata, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterable

PATIENCE_SECONDS: Final = 60.0
GROUP_ASKED_AGAIN_SECONDS: Final = 0.25

_send: Final = GroupCoordinator._send_req  # noqa: SLF001 - every request to the group goes through it


async def committed_offsets(
    admin: Any, group: str, partitions: Iterable[TopicPartition]
) -> dict[TopicPartition, OffsetAndMetadata]:
    """What the group has committed; a partition without a commit has offset -1.

    Asks again while no broker can say, for a minute at most, and then raises the `KafkaError`.
    """
    wanted = list(partitions)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            return await _ask(admin, group, wanted)
        except KafkaError as error:
            if not error.retriable or time.monotonic() > deadline:
                raise
        await admin._client.force_metadata_update()  # noqa: SLF001 - there is no public way
        await asyncio.sleep(GROUP_ASKED_AGAIN_SECONDS)


async def _ask(
    admin: Any, group: str, wanted: list[TopicPartition]
) -> dict[TopicPartition, OffsetAndMetadata]:
    by_topic: defaultdict[str, list[int]] = defaultdict(list)
    for topic, partition in wanted:
        by_topic[topic].append(partition)
    coordinator = await admin.find_coordinator(group)
    request = OffsetFetchRequest(group, list(by_topic.items()))
    answer = await admin._send_request(request, coordinator)  # noqa: SLF001 - as above
    _raise_error_of_group(answer)
    found: dict[TopicPartition, OffsetAndMetadata] = {}
    for topic, partitions in answer.topics:
        for partition, offset, metadata, code in partitions:
            if code != NoError.errno:
                raise for_code(code)(f"{group}: {topic}[{partition}]")
            found[TopicPartition(topic, partition)] = OffsetAndMetadata(offset, metadata)
    return found


def _raise_error_of_group(answer: Any) -> None:
    code = getattr(answer, "error_code", NoError.errno)  # version 1 has none
    if code != NoError.errno:
        raise for_code(code)()


async def _send_or_raise(coordinator: Any, request: Any) -> Any:
    """aiokafka's function; it also raises the error of an OffsetFetch for the whole group."""
    answer = await _send(coordinator, request)
    if isinstance(request, OffsetFetchRequest):
        try:
            _raise_error_of_group(answer)
        except (GroupCoordinatorNotAvailableError, NotCoordinatorForGroupError):
            coordinator.coordinator_dead()
            raise
    return answer


def read_errors_of_groups() -> None:
    """Make every consumer of this process wait for a coordinator that can say what is committed."""
    GroupCoordinator._send_req = _send_or_raise  # noqa: SLF001 - as above
