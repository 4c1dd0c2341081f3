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
        partitions.append(SavedPartition(0, 3, writer.digester.seen()))
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


def rewritten(folder: Path, text: str) -> None:
    """Another manifest with its digest."""
    (folder / "manifest.json").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.sha256").write_text(f"{digest}  manifest.json\n")


@pytest.mark.parametrize("change", [cut, last_octet_changed])
def test_a_changed_manifest_is_refused(backup: Path, change: Callable[[Path], None]) -> None:
    change(backup / "manifest.json")

    with pytest.raises(BackupBroken, match=r"manifest\.json was changed, or is cut"):
        read_manifest(backup)


def test_a_manifest_without_its_digest_is_refused(backup: Path) -> None:
    (backup / "manifest.sha256").unlink()

    with pytest.raises(BackupBroken, match=r"manifest\.sha256 cannot be read"):
        read_manifest(backup)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null"])
def test_another_manifest_is_refused(backup: Path, text: str) -> None:
    rewritten(backup, text)

    with pytest.raises(BackupBroken, match="cannot be read"):
        read_manifest(backup)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"format": BACKUP_FORMAT + 1}, "has format 2, and this version reads 1"),
        ({"partitions": 3}, "mo-raw has 2 partitions"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(
    backup: Path, fields: dict[str, int], words: str
) -> None:
    manifest = json.loads((backup / "manifest.json").read_text())
    rewritten(backup, json.dumps(manifest | fields))

    with pytest.raises(BackupBroken, match=words):
        check_backup(backup, read_manifest(backup))
