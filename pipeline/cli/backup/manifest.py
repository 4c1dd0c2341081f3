"""What a backup holds, in its file `manifest.json`, which is written last.

A folder without the file is a backup that did not end. `manifest.sha256` has its digest, as
`sha256sum --check` reads it.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.cli.backup.record_file import BackupBroken, SeenRecords, records_seen_in

if TYPE_CHECKING:
    from pathlib import Path

MANIFEST: Final = "manifest.json"
MANIFEST_DIGEST: Final = "manifest.sha256"
BACKUP_FORMAT: Final = 1
TOPICS_FOLDER: Final = "topics"
TABLES_FOLDER: Final = "tables"
FILES_FOLDER: Final = "files"


class SavedPartition(msgspec.Struct, frozen=True):
    """A partition: where it began and ended, and its records."""

    start: int
    end: int
    seen: SeenRecords


class SavedPosition(msgspec.Struct, frozen=True):
    """Where a group reads on in a partition, and how many records it has not read."""

    offset: int
    metadata: str
    unread: int


class SavedRange(msgspec.Struct, frozen=True):
    """Rows of a table from one partition of Kafka, by their offsets (the last is included).

    `digest` is ClickHouse's sum of a hash of each row.
    """

    partition: int
    first: int
    last: int
    rows: int
    digest: int
    length: int
    """How many octets of the table's file are these rows."""


class SavedTable(msgspec.Struct, frozen=True):
    """A table: its columns, its rows in ranges, and the SHA-256 of its file."""

    columns: list[str]
    ranges: list[SavedRange]
    file_digest: str

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(each.rows for each in self.ranges)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """A whole backup. `key`: the fingerprint of the suppression key in hex, empty without one."""

    format: int
    backup_id: str
    made_at: str
    version: str
    partitions: int
    topics: dict[str, list[SavedPartition]]
    groups: dict[str, dict[str, list[SavedPosition | None]]]
    tables: dict[str, SavedTable]
    files: dict[str, str]
    key: str = ""


def records_path(folder: Path, topic: str, partition: int) -> Path:
    """The file of a partition's records."""
    return folder / TOPICS_FOLDER / topic / f"{partition}.records"


def table_path(folder: Path, table: str) -> Path:
    """The file of a table's rows."""
    return folder / TABLES_FOLDER / f"{table}.native"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """End a backup."""
    draft = folder / f".{MANIFEST}"
    octets = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    digest = hashlib.sha256(octets).hexdigest()
    (folder / MANIFEST_DIGEST).write_text(f"{digest}  {MANIFEST}\n")
    with draft.open("wb") as file:
        file.write(octets)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / MANIFEST)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a backup; raises `BackupBroken`."""
    file = folder / MANIFEST
    try:
        octets = file.read_bytes()
    except FileNotFoundError:
        raise BackupBroken(
            f"{folder} has no {MANIFEST}: it is no backup, or one that did not end"
        ) from None
    except OSError as error:
        raise BackupBroken(f"{file}: {error.strerror}") from error
    try:
        digest = (folder / MANIFEST_DIGEST).read_text().partition(" ")[0]
    except (OSError, UnicodeDecodeError) as error:
        raise BackupBroken(f"{folder / MANIFEST_DIGEST} cannot be read") from error
    if digest != hashlib.sha256(octets).hexdigest():
        raise BackupBroken(f"{MANIFEST} was changed, or is cut")
    try:
        manifest = msgspec.json.decode(octets, type=Manifest)
    except msgspec.DecodeError as error:
        raise BackupBroken(f"{file} cannot be read: {error}") from error
    if manifest.format != BACKUP_FORMAT:
        raise BackupBroken(
            f"the backup has format {manifest.format}, and this version reads {BACKUP_FORMAT}"
        )
    return manifest


def check_backup(folder: Path, manifest: Manifest) -> None:
    """Read every file of a backup; raises `BackupBroken` for the first that is not as saved."""
    for topic, partitions in manifest.topics.items():
        if len(partitions) != manifest.partitions:
            raise BackupBroken(f"{topic} has {len(partitions)} partitions in the manifest")
        for number, saved in enumerate(partitions):
            found = records_seen_in(records_path(folder, topic, number))
            if found != saved.seen:
                raise BackupBroken(
                    f"{topic}[{number}] has {found.records} records with another digest than the"
                    f" {saved.seen.records} that were saved"
                )
    for table, saved_table in manifest.tables.items():
        _check_file(table_path(folder, table), saved_table.file_digest)
    for name, digest in manifest.files.items():
        _check_file(folder / FILES_FOLDER / name, digest)


def file_digest_of(file: Path) -> str:
    """The SHA-256 of a file, in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _check_file(file: Path, digest: str) -> None:
    try:
        found = file_digest_of(file)
    except OSError as error:
        raise BackupBroken(f"{file.name}: {error.strerror}") from error
    if found != digest:
        raise BackupBroken(f"{file.name} was changed, or is cut")
