"""Brings a partition's state back: fence the old owner, then read what it left."""

from __future__ import annotations

from typing import Final

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from pipeline.engine.state import Point, State, point_from_metadata

_POLL_MS: Final = 200


class StateBehind(RuntimeError):
    """The committed offsets are ahead of the changelog: rows of it are lost."""


async def read_changelog(*, bootstrap: str, topic: str, partition: int, state: State) -> int:
    """Read one partition of the changelog into `state`, to its end; gives the number of rows.

    A plain read_committed consumer outside any group: its position steps over transaction markers.
    """
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 << 20,
    )
    await consumer.start()
    try:
        tp = TopicPartition(topic, partition)
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        await consumer.seek_to_beginning(tp)
        rows = 0
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                for record in records:
                    state.restore(record.key, record.value)
                rows += len(records)
        return rows
    finally:
        await consumer.stop()


async def read_committed_point(
    *, bootstrap: str, group: str, topics: tuple[str, ...], partition: int
) -> Point:
    """What the group has committed for this partition, as a point; sequence 0 when nothing is."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        wanted = [TopicPartition(topic, partition) for topic in topics]
        found = await admin.list_consumer_group_offsets(group, partitions=wanted)
    finally:
        await admin.close()
    offsets = {tp.topic: held.offset for tp, held in found.items() if held.offset >= 0}
    told = [point for held in found.values() if (point := point_from_metadata(held.metadata))]
    times = [point.time for point in told if point.time]
    return Point(
        sequence=max((point.sequence for point in told), default=0),
        time=max(times, default=None),
        offsets=offsets,
    )


def joined_point(*, restored: Point, committed: Point, where: str) -> Point:
    """Where to go on: the later of the two, by topic.

    Offsets alone may be ahead, when there was nothing to write; a sequence may not: then a
    transaction was committed of which the changelog has lost the rows. Raises `StateBehind`.
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
