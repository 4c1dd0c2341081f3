"""Saves topics: the committed records of each partition, and where each group reads on."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pipeline.cli.backup.manifest import SavedPartition, SavedPosition, records_path
from pipeline.cli.backup.read_topics import read_topic
from pipeline.cli.backup.record_file import PartitionFile
from pipeline.cli.terminal.failure import CommandError
from pipeline.engine.state.restore import StateBehind, joined_point
from pipeline.engine.state.state import POINT_KEY, Point, point_from_metadata
from pipeline.kafka import readers, topics

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from kafka import TopicPartition
    from kafka.structs import OffsetAndMetadata

#: The changelog of each group that has state.
CHANGELOG_OF = {
    readers.CONVERSATION: topics.CONVERSATION_CHANGELOG,
    readers.DELIVERY: topics.DELIVERY_CHANGELOG,
    readers.ACCOUNTS: topics.ACCOUNTS_CHANGELOG,
}

TopicPlace = tuple[str, int]  # topic and partition


class SavedTopic(NamedTuple):
    """A topic that was saved.

    `unread`: by partition and mark, how many records there are from that offset on. `points`: the
    last point of each partition, of a changelog.
    """

    partitions: list[SavedPartition]
    unread: dict[tuple[int, int], int]
    points: dict[int, Point]


async def save_topic(
    bootstrap: str,
    topic: str,
    *,
    bounds: Mapping[int, tuple[int, int]],
    marks: Mapping[int, Collection[int]],
    folder: Path,
) -> SavedTopic:
    """Write the records of a topic to files of `folder`; `bounds`: start and end by partition."""
    ends = {partition: end for partition, (_, end) in bounds.items()}
    records_path(folder, topic, 0).parent.mkdir(parents=True, exist_ok=True)
    points: dict[int, Point] = {}
    unread = {(partition, mark): 0 for partition in ends for mark in marks.get(partition, ())}
    is_changelog = topic in readers.CHANGELOGS
    with ExitStack() as files:
        writers = {
            partition: PartitionFile(
                files.enter_context(records_path(folder, topic, partition).open("wb"))
            )
            for partition in ends
        }
        async for partition, record in read_topic(bootstrap, topic, ends):
            writers[partition].append(record)
            for mark in marks.get(partition, ()):
                unread[partition, mark] += record.offset >= mark
            if is_changelog and record.key == POINT_KEY and record.value:
                points[partition] = msgspec.msgpack.decode(record.value, type=Point)
        saved = [
            SavedPartition(*bounds[each], writers[each].digester.seen()) for each in sorted(bounds)
        ]
    return SavedTopic(saved, unread, points)


def positions_of(
    group: str,
    committed: Mapping[TopicPartition, OffsetAndMetadata],
    points: Mapping[int, Point],
    partitions: int,
) -> dict[TopicPlace, tuple[int, str]]:
    """Offset and metadata of where a group reads on, by topic and partition; absent: nowhere yet.

    An agent stands where its changelog says, or further: offsets without rows are committed alone,
    and Kafka forgets the offsets of a group that is away for a week. Raises `CommandError` where
    the changelog has lost rows.
    """
    found = {
        (at.topic, at.partition): (held.offset, held.metadata or "")
        for at, held in committed.items()
        if held.offset >= 0
    }
    if group not in CHANGELOG_OF:
        return found
    joined: dict[TopicPlace, tuple[int, str]] = {}
    for number in range(partitions):
        here = {topic: at for (topic, partition), at in found.items() if partition == number}
        told = [point for _, words in here.values() if (point := point_from_metadata(words))]
        ahead = Point(
            max((point.sequence for point in told), default=0),
            max((point.time for point in told if point.time), default=None),
            {topic: offset for topic, (offset, _) in here.items()},
        )
        restored = points.get(number, Point())
        where = f"{CHANGELOG_OF[group]}[{number}]"
        try:
            point = joined_point(restored=restored, committed=ahead, where=where)
        except StateBehind as error:
            raise CommandError(f"this installation is damaged: {error}") from error
        joined |= {
            (topic, number): (offset, point.metadata()) for topic, offset in point.offsets.items()
        }
    return joined


def saved_positions(
    positions: Mapping[TopicPlace, tuple[int, str]],
    unread: Mapping[tuple[str, int, int], int],
    partitions: int,
) -> dict[str, list[SavedPosition | None]]:
    """The positions of a group as the manifest has them; `unread` by topic, partition and mark."""
    saved: dict[str, list[SavedPosition | None]] = {}
    for (topic, partition), (offset, metadata) in sorted(positions.items()):
        row = saved.setdefault(topic, [None] * partitions)
        row[partition] = SavedPosition(offset, metadata, unread[topic, partition, offset])
    return saved
