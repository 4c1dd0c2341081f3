"""Saves an installation into a folder: topics, positions of groups, tables, files."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from pipeline.build_info import version
from pipeline.cli.ask.broker import open_admin
from pipeline.cli.backup import home_files, session
from pipeline.cli.backup.manifest import BACKUP_FORMAT, Manifest, SavedPartition, write_manifest
from pipeline.cli.backup.save_topics import (
    CHANGELOG_OF,
    TopicPlace,
    positions_of,
    save_topic,
    saved_positions,
)
from pipeline.cli.backup.tables import SAVED_TABLES, reading_tables, save_table
from pipeline.cli.operate.groups import coordinated
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import readers, topics

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from kafka import KafkaAdminClient, TopicPartition
    from kafka.structs import OffsetAndMetadata

    from pipeline.engine.state.state import Point
    from pipeline.settings import Settings

Committed = dict[str, dict["TopicPartition", "OffsetAndMetadata"]]


class _Kafka(NamedTuple):
    """What stands still while it is saved."""

    partitions: int
    bounds: dict[str, dict[int, tuple[int, int]]]
    committed: Committed


class _Saved(NamedTuple):
    """The topics, where each group stands, and what is unread from each such offset on."""

    topics: dict[str, list[SavedPartition]]
    positions: dict[str, dict[TopicPlace, tuple[int, str]]]
    unread: dict[tuple[str, int, int], int]


def save(
    settings: Settings, folder: Path, *, key: Path | None, say: Callable[[str], None]
) -> Manifest:
    """Save the installation into a new or empty folder; raises `CommandError`."""
    if folder.exists() and any(folder.iterdir()):
        raise CommandError(f"{folder} is not empty")
    if not settings.kafka and not (settings.home / "kafka").is_dir():
        raise CommandError(f"nothing to save: {settings.home} has no broker, and kafka names none")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fingerprint = home_files.fingerprint_of_key(settings)
    if key is not None and fingerprint:
        home_files.save_key(settings, key, apart_from=folder)
    with session.broker_of(settings, say) as bootstrap:
        before = _standing(bootstrap)
        say("saving the topics")
        saved: _Saved = session.run_with_kafka(bootstrap, _topics(bootstrap, before, folder))
        _refuse_erasures_to_come(saved)
        say("saving the tables of ClickHouse")
        firsts = {
            (topic, number): partition.end if partition.seen.first is None else partition.seen.first
            for topic, partitions in saved.topics.items()
            for number, partition in enumerate(partitions)
        }
        with session.clickhouse_of(settings) as database, reading_tables(database) as client:
            tables = {
                table: save_table(
                    database,
                    client,
                    table,
                    below=_stored(saved.positions[readers.STORE], firsts, topic),
                    folder=folder,
                )
                for topic, table in SAVED_TABLES.items()
            }
        if _standing(bootstrap) != before:
            raise CommandError(
                "something wrote to Kafka or read from it meanwhile: stop every process, remove"
                f" {folder} and begin again"
            )
    manifest = Manifest(
        format=BACKUP_FORMAT,
        backup_id=secrets.token_hex(8),
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        version=version(),
        partitions=before.partitions,
        topics=saved.topics,
        groups={
            group: saved_positions(found, saved.unread, before.partitions)
            for group, found in saved.positions.items()
        },
        tables=tables,
        files=home_files.save_files(settings, folder),
        key=fingerprint,
    )
    write_manifest(folder, manifest)
    return manifest


def _standing(bootstrap: str) -> _Kafka:
    """Bounds and positions; raises `CommandError` while somebody reads or a transaction is open."""
    bounds: dict[str, dict[int, tuple[int, int]]] = {}
    found = session.settled_bounds(bootstrap)
    for at, start_end in found.items():
        bounds.setdefault(at.topic, {})[at.partition] = start_end
    if not bounds:
        raise CommandError("nothing to save: the broker has no topics of ours")
    with open_admin(bootstrap) as admin:
        session.refuse_readers(admin)
        held = {group: _committed(admin, group, list(found)) for group in session.GROUPS}
    return _Kafka(max(len(each) for each in bounds.values()), bounds, held)


def _committed(
    admin: KafkaAdminClient, group: str, partitions: list[TopicPartition]
) -> dict[TopicPartition, OffsetAndMetadata]:
    found = coordinated(lambda: admin.list_group_offsets({group: partitions})[group])
    return {at: noted for at, noted in found.items() if noted.offset >= 0}


async def _topics(bootstrap: str, kafka: _Kafka, folder: Path) -> _Saved:
    """Save every topic; the changelogs first, because the points of agents are in them."""
    saved: dict[str, list[SavedPartition]] = {}
    points: dict[str, Mapping[int, Point]] = {}
    for topic in sorted(readers.CHANGELOGS & kafka.bounds.keys()):
        done = await save_topic(
            bootstrap, topic, bounds=kafka.bounds[topic], marks={}, folder=folder
        )
        saved[topic], points[topic] = done.partitions, done.points
    positions = {
        group: positions_of(
            group, held, points.get(CHANGELOG_OF.get(group, ""), {}), kafka.partitions
        )
        for group, held in kafka.committed.items()
    }
    unread: dict[tuple[str, int, int], int] = {}
    for topic in [each for each in kafka.bounds if each not in saved]:
        marks: dict[int, set[int]] = {}
        for found in positions.values():
            for (name, partition), (offset, _) in found.items():
                if name == topic:
                    marks.setdefault(partition, set()).add(offset)
        done = await save_topic(
            bootstrap, topic, bounds=kafka.bounds[topic], marks=marks, folder=folder
        )
        saved[topic] = done.partitions
        unread |= {(topic, *at): count for at, count in done.unread.items()}
    return _Saved(saved, positions, unread)


def _refuse_erasures_to_come(saved: _Saved) -> None:
    """Raise `CommandError` if the store has not carried out an erasure.

    It deletes by offset what was written before; restored records may stand higher than their rows.
    """
    held = saved.positions[readers.STORE]
    waiting = 0
    for number, partition in enumerate(saved.topics.get(topics.ERASURE, [])):
        position = held.get((topics.ERASURE, number))
        waiting += (
            saved.unread[topics.ERASURE, number, position[0]]
            if position
            else partition.seen.records
        )
    if waiting:
        raise CommandError(
            f"the store has not carried out {waiting} erasures: start it, wait until"
            " `twoway status` shows that it has read everything, and stop it again"
        )


def _stored(
    positions: Mapping[TopicPlace, tuple[int, str]], firsts: Mapping[TopicPlace, int], topic: str
) -> dict[int, int]:
    """Below which offset of each partition the store has committed rows.

    Without a commit it will read from the first record on: the rows below that one are kept.
    """
    return {
        partition: positions.get((name, partition), (first, ""))[0]
        for (name, partition), first in firsts.items()
        if name == topic
    }
