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

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from kafka import TopicPartition

from pipeline.cli.ask.broker import open_admin
from pipeline.cli.backup import empty_topics, home_files, session
from pipeline.cli.backup.manifest import Manifest, check_backup, read_manifest
from pipeline.cli.backup.names import refuse_strange_names
from pipeline.cli.backup.places import place_of_position
from pipeline.cli.backup.record_file import BackupBroken
from pipeline.cli.backup.restore_topics import compare_topics, delete_what_filled, fill_topics
from pipeline.cli.backup.split import BackupSource, split_manifest
from pipeline.cli.backup.tables import empty_tables, insert_table, reading_tables, tables_with_rows
from pipeline.cli.terminal.failure import CommandError
from pipeline.engine.state.state import point_from_metadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kafka import KafkaAdminClient

    from pipeline.settings import Settings
    from pipeline.store.clickhouse.database import Database


class RestoredBackup(NamedTuple):
    """What was restored, with words about files and key."""

    manifest: Manifest
    files: list[str]
    key: str


def restore_backup(
    settings: Settings,
    folder: Path,
    *,
    key: Path | None,
    partitions: int | None = None,
    say: Callable[[str], None],
) -> RestoredBackup:
    """Restore a backup, with its own number of partitions or a multiple of it.

    Raises `CommandError`, with the reason, for a backup that is not whole.
    """
    say("checking the backup")
    try:
        manifest = read_manifest(folder)
        refuse_strange_names(manifest)
        check_backup(folder, manifest)
        source = BackupSource(folder, manifest.partitions, partitions or manifest.partitions)
        manifest = split_manifest(manifest, source)
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
        session.run_with_kafka(bootstrap, fill_topics(bootstrap, manifest, source))
        delete_what_filled(admin, manifest, is_split=source.is_split)
        session.run_with_kafka(
            bootstrap, compare_topics(bootstrap, manifest, is_split=source.is_split)
        )
        for group in manifest.groups:
            empty_topics.put_positions(
                admin, group, _positions(manifest, group, is_split=source.is_split)
            )
        say("restoring the tables of ClickHouse")
        with reading_tables(database) as client:
            for table, saved in manifest.tables.items():
                insert_table(database, client, table, saved, folder)
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


def _positions(
    manifest: Manifest, group: str, *, is_split: bool
) -> dict[TopicPartition, tuple[int, str]]:
    """Where a group reads on. What the store noted of a block it was writing is left out."""
    found: dict[TopicPartition, tuple[int, str]] = {}
    for topic, row in manifest.groups[group].items():
        for number, held in enumerate(row):
            if held is None:
                continue
            saved = manifest.topics[topic][number]
            offset = place_of_position(
                topic,
                held.offset,
                start=saved.start,
                first=saved.seen.first,
                end=saved.end,
                unread=held.unread,
                is_split=is_split,
            )
            metadata = held.metadata if point_from_metadata(held.metadata) else ""
            found[TopicPartition(topic, number)] = offset, metadata
    return found
