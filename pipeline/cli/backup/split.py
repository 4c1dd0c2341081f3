"""Splits the partitions of a backup among a multiple of them, as it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from pipeline.cli.backup.children import MUST_BE_EMPTY, TABLES_OF, Family, children_of
from pipeline.cli.backup.manifest import Manifest, SavedPartition, SavedPosition, records_path
from pipeline.cli.backup.record_file import Digester, records_of
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import readers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipeline.cli.backup.record_file import SavedRecord

#: Groups of which the rows or records that are to come name no partition.
_MAY_BE_BEHIND = frozenset({readers.SENDER, readers.NOTICE_MAIL})


class BackupSource(NamedTuple):
    """The records of a backup by the partitions that they are restored to."""

    folder: Path
    before: int
    wanted: int

    @property
    def is_split(self) -> bool:
        """Whether there are to be more partitions."""
        return self.wanted != self.before

    def family_of(self, partition: int) -> Family:
        """The family of a new partition."""
        return Family(partition % self.before, self.before, self.wanted)

    def records(self, topic: str, partition: int) -> Iterator[SavedRecord]:
        """The records of a new partition, with their old offsets."""
        family = self.family_of(partition)
        records = records_of(records_path(self.folder, topic, family.parent))
        if not self.is_split:
            return records
        return (each for each in records if partition in children_of(topic, each, family))


def split_manifest(manifest: Manifest, source: BackupSource) -> Manifest:
    """What the backup holds by new partitions; raises `CommandError` where it cannot be split."""
    if not source.is_split:
        return manifest
    if source.wanted < 1 or source.wanted % source.before:
        raise CommandError(
            f"--partitions must be a multiple of the {source.before} partitions of the backup"
        )
    _refuse_unread(manifest)
    split: dict[str, list[SavedPartition]] = {}
    unread: dict[tuple[str, int, str], int] = {}
    for topic, partitions in manifest.topics.items():
        digesters = [Digester() for _ in range(source.wanted)]
        for parent in range(len(partitions)):
            marks = {
                group: position.offset
                for group, positions in manifest.groups.items()
                if topic in positions and (position := positions[topic][parent])
            }
            for record, children in _given_out(topic, parent, source):
                for child in children:
                    digesters[child].see(record)
                    for group, offset in marks.items():
                        if record.offset >= offset:
                            place = (topic, child, group)
                            unread[place] = unread.get(place, 0) + 1
            if topic in MUST_BE_EMPTY:
                _refuse_rows(topic, parent, source)
        split[topic] = [
            _part_of(partitions[child % source.before], digester)
            for child, digester in enumerate(digesters)
        ]
    groups = {
        group: {
            topic: [
                _of_child(row[child % source.before], unread.get((topic, child, group), 0))
                for child in range(source.wanted)
            ]
            for topic, row in positions.items()
        }
        for group, positions in manifest.groups.items()
    }
    return msgspec.structs.replace(manifest, partitions=source.wanted, topics=split, groups=groups)


def _given_out(
    topic: str, parent: int, source: BackupSource
) -> Iterator[tuple[SavedRecord, tuple[int, ...]]]:
    family = Family(parent, source.before, source.wanted)
    for record in records_of(records_path(source.folder, topic, parent)):
        yield record, tuple(children_of(topic, record, family))


def _part_of(parent: SavedPartition, digester: Digester) -> SavedPartition:
    return SavedPartition(parent.start, parent.end, digester.seen())


def _of_child(position: SavedPosition | None, unread: int) -> SavedPosition | None:
    return None if position is None else msgspec.structs.replace(position, unread=unread)


def _refuse_unread(manifest: Manifest) -> None:
    """Raise `CommandError` if a record is still to be worked on, by the partition it is in."""
    for group, positions in manifest.groups.items():
        if group in _MAY_BE_BEHIND or not positions:
            continue
        waiting = sum(
            held.unread
            for topic, row in positions.items()
            if topic not in readers.MAY_SKIP
            for held in row
            if held
        )
        if waiting:
            raise CommandError(
                f"{waiting} records are unread in {group}: for other partitions everything must be"
                " read; start the processes without a way in, wait until `twoway status` shows no"
                " lag, and back up again"
            )


def _refuse_rows(topic: str, parent: int, source: BackupSource) -> None:
    """Raise `CommandError` if a table that cannot be split has a row."""
    numbers = {
        bytes([TABLES_OF[topic].index(name) + 1]): words
        for name, words in MUST_BE_EMPTY[topic].items()
    }
    there: dict[bytes, str] = {}
    for record in records_of(records_path(source.folder, topic, parent)):
        key = record.key or b""
        if (words := numbers.get(key[:1])) is None:
            continue
        if record.value is None:
            there.pop(key, None)
        else:
            there[key] = words
    for words in there.values():
        raise CommandError(f"the partitions cannot be split: {words}, and back up again")
