"""Restores a backup into an empty installation, in an order that may be broken off anywhere.

1. Every file of the backup is checked; nothing is touched before.
2. The installation must be empty, or an earlier restore of the same backup must have begun here.
3. A mark says that a restore has begun.
4. Topics, groups and tables are emptied, then filled: topics, positions of groups, tables, files.
5. Everything is read again and compared.
6. The topics get their configuration, and the mark is removed.

Whoever was ended between 3 and 6 runs the restore again: it begins at 1 (deploy/decisions/0161).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from kafka import TopicPartition

from pipeline.cli.ask.broker import open_admin
from pipeline.cli.backup import empty_topics, home_files, session
from pipeline.cli.backup.fill_topics import Filler
from pipeline.cli.backup.manifest import Manifest, check_backup, read_manifest
from pipeline.cli.backup.places import NAMED_BY_OFFSET, first_place, new_end, place_of_position
from pipeline.cli.backup.read_topics import read_topic
from pipeline.cli.backup.record_file import BackupBroken, Digester
from pipeline.cli.backup.tables import empty_tables, insert_table, tables_with_rows
from pipeline.cli.terminal.failure import CommandError
from pipeline.engine.state.state import point_from_metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kafka import KafkaAdminClient

    from pipeline.cli.backup.manifest import SavedPartition
    from pipeline.settings import Settings
    from pipeline.store.clickhouse.database import Database

_TOPICS_AT_ONCE: Final = 4


class RestoredBackup(NamedTuple):
    """What was restored, with words about files and key."""

    manifest: Manifest
    files: list[str]
    key: str


def restore_backup(
    settings: Settings, folder: Path, *, key: Path | None, say: Callable[[str], None]
) -> RestoredBackup:
    """Restore a backup; raises `CommandError`, with the reason, for one that is not whole."""
    say("checking the backup")
    try:
        manifest = read_manifest(folder)
        check_backup(folder, manifest)
    except BackupBroken as error:
        raise CommandError(f"the backup is not restored: {error}") from error
    settings = replace(settings, partitions=manifest.partitions)
    with (
        session.broker_of(settings, say) as bootstrap,
        session.clickhouse_of(settings) as database,
        open_admin(bootstrap) as admin,
    ):
        session.refuse_readers(admin)
        _refuse_others(bootstrap, admin, database, manifest)
        words_of_key = home_files.put_key(settings, key, manifest.key)
        empty_topics.mark(bootstrap, admin, manifest.backup_id, settings)
        empty_topics.make_empty(admin, settings)
        empty_tables(database)
        say("restoring the topics")
        session.run_with_kafka(bootstrap, _fill(bootstrap, manifest, folder))
        _delete_what_filled(admin, manifest)
        session.run_with_kafka(bootstrap, _compare(bootstrap, manifest))
        for group in manifest.groups:
            empty_topics.put_positions(admin, group, _positions(manifest, group))
        say("restoring the tables of ClickHouse")
        for table, saved in manifest.tables.items():
            insert_table(database, table, saved, folder)
        files = list(home_files.put_files(settings, folder, manifest.files))
        empty_topics.set_right(admin, settings)
        empty_topics.unmark(admin)
    return RestoredBackup(manifest, files, words_of_key)


def _refuse_others(
    bootstrap: str,
    admin: KafkaAdminClient,
    database: Database,
    manifest: Manifest,
) -> None:
    """Raise `CommandError` unless the installation is empty, or this restore has begun here."""
    begun = empty_topics.marked_by(bootstrap, admin)
    if begun is None:
        empty_topics.refuse_unless_empty(admin)
        if used := tables_with_rows(database):
            raise CommandError(
                f"a restore needs an empty installation, and there are rows in {', '.join(used)}"
            )
    elif begun not in ("", manifest.backup_id):
        raise CommandError(
            f"a restore of another backup ({begun}) has begun here: end that one, or begin with an"
            " empty installation"
        )


async def _fill(bootstrap: str, manifest: Manifest, folder: Path) -> None:
    turns = asyncio.Semaphore(_TOPICS_AT_ONCE)

    async def fill(topic: str, partitions: list[SavedPartition]) -> None:
        async with turns, Filler(bootstrap, topic) as filler:
            await asyncio.gather(
                *(filler.fill(n, saved, folder) for n, saved in enumerate(partitions))
            )

    await asyncio.gather(*(fill(*each) for each in manifest.topics.items()))


def _first_of(topic: str, saved: SavedPartition) -> int:
    seen = saved.seen
    return first_place(topic, first=seen.first, end=saved.end, records=seen.records)


def _delete_what_filled(admin: KafkaAdminClient, manifest: Manifest) -> None:
    firsts = {
        TopicPartition(topic, number): first
        for topic, partitions in manifest.topics.items()
        for number, saved in enumerate(partitions)
        if (first := _first_of(topic, saved))
    }
    if firsts:
        admin.delete_records(firsts)


async def _compare(bootstrap: str, manifest: Manifest) -> None:
    """Read every topic again; raises `CommandError` for a record that is not as it was saved."""
    for topic, partitions in manifest.topics.items():
        ends = {
            number: new_end(topic, end=saved.end, records=saved.seen.records)
            for number, saved in enumerate(partitions)
        }
        digesters = {number: Digester() for number in ends}
        nexts = {number: _first_of(topic, saved) for number, saved in enumerate(partitions)}
        async for partition, record in read_topic(bootstrap, topic, ends):
            digesters[partition].see(record)
            if topic not in NAMED_BY_OFFSET and record.offset != nexts[partition]:
                raise CommandError(f"{topic}[{partition}]: a record is at {record.offset}")
            nexts[partition] += 1
        for number, saved in enumerate(partitions):
            seen = digesters[number].seen()
            if topic in NAMED_BY_OFFSET:
                is_same = seen == saved.seen
            else:
                is_same = seen.without_offsets == saved.seen.without_offsets
            if not is_same:
                raise CommandError(
                    f"{topic}[{number}] has {seen.records} records with another digest than the"
                    f" {saved.seen.records} of the backup: does another program write there?"
                )


def _positions(manifest: Manifest, group: str) -> dict[TopicPartition, tuple[int, str]]:
    """Where a group reads on. What the store noted of a block it was writing is left out."""
    found: dict[TopicPartition, tuple[int, str]] = {}
    for topic, row in manifest.groups[group].items():
        for number, held in enumerate(row):
            if held is None:
                continue
            saved = manifest.topics[topic][number]
            offset = place_of_position(
                topic, held.offset, first=saved.seen.first, end=saved.end, unread=held.unread
            )
            metadata = held.metadata if point_from_metadata(held.metadata) else ""
            found[TopicPartition(topic, number)] = offset, metadata
    return found
