"""Restores a partition's state from the changelog and the committed offsets."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError

from pipeline.engine.state.checkpoint import CheckpointUnusable, may_lack_tombstones, why_unusable
from pipeline.engine.state.rows import Reached
from pipeline.engine.state.state import Point, State, point_from_metadata
from pipeline.kafka.client.answers import BROKER_ANSWER_MS, bound_answers
from pipeline.kafka.client.confirmed_ends import LEADERS_KNOWN_MS, confirmed_ends
from pipeline.kafka.client.limits import MOST_FETCHED_OCTETS, SMALL_FRAME_OCTETS
from pipeline.kafka.committed import committed_offsets
from pipeline.kafka.login.options import kafka_python_options, serving_options
from pipeline.wrong_deploy import NeedsOperator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

log = logging.getLogger(__name__)

_POLL_MS: Final = 200
_ASKED_TIMES: Final = 40
_ASKED_AGAIN_SECONDS: Final = 0.25


class StateBehind(NeedsOperator):
    """The committed offsets are ahead of the changelog: rows of it are lost."""


class ChangelogUnknown(RuntimeError):
    """The broker does not know the changelog topic."""


class ChangelogTopic(msgspec.Struct, frozen=True):
    """The properties of a changelog topic that decide whether a checkpoint of it is usable."""

    topic_id: str
    tombstones_kept_ms: int


async def describe_changelog(bootstrap: str, topic: str) -> ChangelogTopic:
    """Ask the broker; raises `ChangelogUnknown` if it does not know the topic after many attempts.

    The id distinguishes a topic from a deleted topic of the same name.
    """
    for _ in range(_ASKED_TIMES):
        try:
            found = await asyncio.to_thread(_describe, bootstrap, topic)
        except KafkaError as error:
            if not error.retriable:
                raise
            log.warning("%s is not described yet: %s", topic, type(error).__name__)
        else:
            if found is not None:
                return found
        await asyncio.sleep(_ASKED_AGAIN_SECONDS)  # the topic is new, or a broker just went
    raise ChangelogUnknown(f"the broker knows no topic {topic}")


def _describe(bootstrap: str, topic: str) -> ChangelogTopic | None:
    admin = KafkaAdminClient(
        **kafka_python_options(bootstrap),
        receive_message_max_bytes=SMALL_FRAME_OCTETS,
        request_timeout_ms=BROKER_ANSWER_MS,
    )
    try:
        (described,) = admin.describe_topics([topic])
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        configured = admin.describe_configs([resource], config_filter="all")
    finally:
        admin.close()
    # For a topic that it does not know, the broker only returns an error.
    kept = configured.get("topic", {}).get(topic, {}).get("delete.retention.ms")
    if described["error_code"] or kept is None:
        return None
    return ChangelogTopic(str(described["topic_id"]), int(kept["value"]))


async def read_changelog(
    *,
    bootstrap: str,
    topic: str,
    partition: int,
    state: State,
    tombstones_kept_ms: int,
    tell: Callable[[int], None],
) -> int:
    """Read one partition of the changelog into `state`, from the state's position to the end.

    Returns the number of rows read, and reports it to `tell` meanwhile. Raises `CheckpointUnusable`
    if a restore must not continue from `state`. It uses a read_committed consumer without a group,
    whose position moves past transaction markers.
    """
    reached, sequence = state.rows.reached, state.point.sequence
    consumer = AIOKafkaConsumer(
        **serving_options(bootstrap),
        metadata_max_age_ms=LEADERS_KNOWN_MS,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=MOST_FETCHED_OCTETS,
        fetch_max_bytes=MOST_FETCHED_OCTETS,
    )
    bound_answers(consumer._client)  # noqa: SLF001 - there is no other way in
    await consumer.start()
    try:
        tp = TopicPartition(topic, partition)
        consumer.assign([tp])
        beginning = (await consumer.beginning_offsets([tp]))[tp]
        end = (await confirmed_ends(consumer, [tp]))[tp]
        if reason := why_unusable(offset=reached.offset, beginning=beginning, end=end):
            raise CheckpointUnusable(reason)
        consumer.seek(tp, max(reached.offset, beginning))
        rows = 0
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                if not rows and reached.offset:
                    _check_age(reached, tombstones_kept_ms)
                last = records[-1]
                state.restore(
                    ((record.key, record.value) for record in records),
                    reached=Reached(last.offset + 1, last.timestamp),
                )
                rows += len(records)
                tell(rows)
    finally:
        await consumer.stop()
    if state.point.sequence < sequence:
        raise CheckpointUnusable(
            f"it is at transaction {sequence}, the changelog at {state.point.sequence}"
        )
    return rows


def _check_age(reached: Reached, tombstones_kept_ms: int) -> None:
    now_ms = int(time.time() * 1000)
    if may_lack_tombstones(at_ms=reached.at_ms, now_ms=now_ms, kept_ms=tombstones_kept_ms):
        raise CheckpointUnusable(
            f"it is {(now_ms - reached.at_ms) / 3_600_000:.1f} h old, and the changelog keeps"
            f" deletions for {tombstones_kept_ms / 3_600_000:.1f} h"
        )


class CommittedOffsets:
    """The committed offsets of a group. Partitions that ask at the same time share one client."""

    def __init__(self, *, bootstrap: str, group: str, topics: tuple[str, ...]) -> None:
        self._bootstrap, self._group, self._topics = bootstrap, group, topics
        self._opening = asyncio.Lock()
        self._admin: AIOKafkaAdminClient | None = None
        self._users = 0

    async def read(self, partition: int) -> Point:
        """The point that the group has committed for this partition; sequence 0 if none."""
        wanted = [TopicPartition(topic, partition) for topic in self._topics]
        async with self._client() as admin:
            found = await committed_offsets(admin, self._group, wanted)
        offsets = {tp.topic: held.offset for tp, held in found.items() if held.offset >= 0}
        told = [point for held in found.values() if (point := point_from_metadata(held.metadata))]
        times = [point.time for point in told if point.time]
        return Point(
            sequence=max((point.sequence for point in told), default=0),
            time=max(times, default=None),
            offsets=offsets,
        )

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[AIOKafkaAdminClient]:
        async with self._opening:
            if self._admin is None:
                admin = AIOKafkaAdminClient(**serving_options(self._bootstrap))
                bound_answers(admin._client)  # noqa: SLF001 - there is no other way in
                await admin.start()
                self._admin = admin
            self._users += 1
        try:
            yield self._admin
        finally:
            self._users -= 1
            if not self._users and self._admin is not None:
                admin, self._admin = self._admin, None
                await admin.close()


def joined_point(*, restored: Point, committed: Point, where: str) -> Point:
    """The point to continue from: for each topic, the later offset of the two points.

    Committed offsets may be ahead of the changelog, because offsets without rows are committed
    alone. A committed sequence may not be ahead: then the changelog has lost the rows of a
    transaction, and `StateBehind` is raised.
    """
    if committed.sequence > restored.sequence:
        raise StateBehind(
            f"{where}: offsets were committed by transaction {committed.sequence}, but the "
            f"changelog ends with {restored.sequence}: rows are lost, and their effect with them"
        )
    topics = {**restored.offsets, **committed.offsets}
    offsets = {
        topic: max(restored.offsets.get(topic, 0), committed.offsets.get(topic, 0))
        for topic in topics
    }
    times = [time for time in (restored.time, committed.time) if time]
    return Point(restored.sequence, max(times, default=None), offsets)
