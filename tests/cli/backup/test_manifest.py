"""A backup that is incomplete or changed is refused, with what is wrong."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.backup.manifest import (
    BACKUP_FORMAT,
    Manifest,
    SavedPartition,
    SavedRange,
    SavedTable,
    check_backup,
    read_manifest,
    records_path,
    table_path,
    write_manifest,
)
from pipeline.cli.backup.record_file import BackupBroken, PartitionFile, SavedRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ROWS = b"rows of a table"


@pytest.fixture
def backup(tmp_path: Path) -> Path:
    """A small backup of two partitions, a table and a file."""
    partitions = []
    for number in range(2):
        path = records_path(tmp_path, "mo-raw", number)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            writer = PartitionFile(file)
            for offset in range(3):
                writer.append(SavedRecord(offset, 0, b"44", b"value", []))
        partitions.append(SavedPartition(3, writer.digester.seen()))
    for path in (table_path(tmp_path, "mo_raw_rows"), tmp_path / "files" / "numbers.toml"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(ROWS)
    digest = hashlib.sha256(ROWS).hexdigest()
    rows = SavedTable(["handset"], [SavedRange(0, 0, 2, 3, 1, len(ROWS))], digest)
    manifest = Manifest(
        format=BACKUP_FORMAT, backup_id="b" * 16, made_at="2026-03-01T00:00:00+00:00", version="1",
        partitions=2, topics={"mo-raw": partitions}, groups={}, tables={"mo_raw_rows": rows},
        files={"numbers.toml": digest},
    )  # fmt: skip
    write_manifest(tmp_path, manifest)
    return tmp_path


def test_a_whole_backup_is_taken(backup: Path) -> None:
    check_backup(backup, read_manifest(backup))


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def last_octet_changed(path: Path) -> None:
    octets = path.read_bytes()
    path.write_bytes(octets[:-1] + bytes([octets[-1] ^ 1]))


def one_record_less(path: Path) -> None:
    octets = path.read_bytes()
    path.write_bytes(octets[: len(octets) * 2 // 3])


RECORDS = "topics/mo-raw/1.records"
TABLE = "tables/mo_raw_rows.native"
FILE = "files/numbers.toml"


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        (RECORDS, cut, r"1\.records is cut"),
        (RECORDS, last_octet_changed, r"mo-raw\[1\] has 3 records with another digest"),
        (RECORDS, one_record_less, r"mo-raw\[1\] has 2 records with another digest than the 3"),
        (TABLE, cut, r"mo_raw_rows\.native was changed, or is cut"),
        (TABLE, last_octet_changed, r"mo_raw_rows\.native was changed"),
        (FILE, cut, r"numbers\.toml was changed"),
    ],
)
def test_a_changed_file_is_named(
    backup: Path, name: str, change: Callable[[Path], None], words: str
) -> None:
    change(backup / name)

    with pytest.raises(BackupBroken, match=words):
        check_backup(backup, read_manifest(backup))


@pytest.mark.parametrize("name", [RECORDS, TABLE, FILE])
def test_a_missing_file_is_named(backup: Path, name: str) -> None:
    (backup / name).unlink()

    with pytest.raises(BackupBroken, match=f"{name.rpartition('/')[2]}: No such file"):
        check_backup(backup, read_manifest(backup))


def test_a_backup_that_did_not_end_is_refused(backup: Path) -> None:
    (backup / "manifest.json").unlink()

    with pytest.raises(BackupBroken, match="or one that did not end"):
        read_manifest(backup)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "cannot be read"),
        ("{}", "cannot be read"),
        ("[]", "cannot be read"),
    ],
)
def test_another_manifest_is_refused(backup: Path, text: str, words: str) -> None:
    (backup / "manifest.json").write_text(text)

    with pytest.raises(BackupBroken, match=words):
        read_manifest(backup)


def test_a_manifest_of_another_format_is_refused(backup: Path) -> None:
    file = backup / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"format": BACKUP_FORMAT + 1}))

    with pytest.raises(BackupBroken, match="has format 2, and this version reads format 1"):
        read_manifest(backup)


def test_a_manifest_with_too_few_partitions_is_refused(backup: Path) -> None:
    file = backup / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"partitions": 3}))

    with pytest.raises(BackupBroken, match="mo-raw has 2 partitions"):
        check_backup(backup, read_manifest(backup))
