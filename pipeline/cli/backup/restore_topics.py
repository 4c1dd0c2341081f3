"""Fills the topics of an installation from a backup, and reads them again to compare."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from kafka import TopicPartition

from pipeline.cli.backup.fill_topics import Filler
from pipeline.cli.backup.places import first_place, keeps_offsets, new_end
from pipeline.cli.backup.read_topics import read_topic
from pipeline.cli.backup.record_file import Digester
from pipeline.cli.terminal.failure import CommandError

if TYPE_CHECKING:
    from kafka import KafkaAdminClient

    from pipeline.cli.backup.manifest import Manifest, SavedPartition
    from pipeline.cli.backup.split import BackupSource

_TOPICS_AT_ONCE: Final = 4


async def fill_topics(bootstrap: str, manifest: Manifest, source: BackupSource) -> None:
    """Write the records of every topic that has had any."""
    turns = asyncio.Semaphore(_TOPICS_AT_ONCE)

    async def fill(topic: str, partitions: list[SavedPartition]) -> None:
        async with turns, Filler(bootstrap, topic, is_split=source.is_split) as filler:
            await asyncio.gather(
                *(
                    filler.fill(number, saved, source.records(topic, number))
                    for number, saved in enumerate(partitions)
                )
            )

    await asyncio.gather(
        *(
            fill(topic, partitions)
            for topic, partitions in manifest.topics.items()
            if any(new_end(topic, end=it.end, records=it.seen.records) for it in partitions)
        )
    )


def _first_of(topic: str, saved: SavedPartition, *, is_split: bool) -> int:
    seen = saved.seen
    return first_place(
        topic, first=seen.first, end=saved.end, records=seen.records, is_split=is_split
    )


def delete_what_filled(admin: KafkaAdminClient, manifest: Manifest, *, is_split: bool) -> None:
    """Delete what stands before the first record of each partition."""
    firsts = {
        TopicPartition(topic, number): first
        for topic, partitions in manifest.topics.items()
        for number, saved in enumerate(partitions)
        if (first := _first_of(topic, saved, is_split=is_split))
    }
    if firsts:
        admin.delete_records(firsts)


async def compare_topics(bootstrap: str, manifest: Manifest, *, is_split: bool) -> None:
    """Read every topic again; raises `CommandError` for a record that is not as it was saved."""
    for topic, partitions in manifest.topics.items():
        ends = {
            number: new_end(topic, end=saved.end, records=saved.seen.records)
            for number, saved in enumerate(partitions)
        }
        digesters = {number: Digester() for number in ends}
        nexts = {
            number: _first_of(topic, saved, is_split=is_split)
            for number, saved in enumerate(partitions)
        }
        keeps = keeps_offsets(topic, is_split=is_split)
        async for partition, record in read_topic(bootstrap, topic, ends):
            digesters[partition].see(record)
            if not keeps and record.offset != nexts[partition]:
                raise CommandError(f"{topic}[{partition}]: a record is at {record.offset}")
            nexts[partition] += 1
        for number, saved in enumerate(partitions):
            seen = digesters[number].seen()
            if keeps:
                is_same = seen == saved.seen
            else:
                is_same = seen.without_offsets == saved.seen.without_offsets
            if not is_same:
                raise CommandError(
                    f"{topic}[{number}] has {seen.records} records with another digest than the"
                    f" {saved.seen.records} of the backup: does another program write there?"
                )
