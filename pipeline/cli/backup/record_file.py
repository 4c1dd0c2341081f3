"""The file of one partition's records in a backup, and what tells that it is whole.

A record is `length of the rest (4 octets), offset (8 octets), rest`; the rest is timestamp in
milliseconds, key, value and headers in msgpack. Whole: the count, the digest of the file, and the
digest of the rests, which is the same wherever the records stand.
"""

from __future__ import annotations

import hashlib
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_HEAD: Final = struct.Struct(">IQ")

SavedHeaders = list[tuple[str, bytes | None]]


class SavedRecord(NamedTuple):
    """A record of Kafka; `timestamp` in milliseconds since 1970."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: SavedHeaders


class SeenRecords(msgspec.Struct, frozen=True):
    """What identifies the records of a partition. The digests are SHA-256, in hex."""

    records: int
    first: int | None
    """The offset of the first record; None if there is none."""
    with_offsets: str
    without_offsets: str


class BackupBroken(Exception):
    """A backup is incomplete or was changed; the words say where."""


_Rest = tuple[int, bytes | None, bytes | None, SavedHeaders]
_rest_encoded = msgspec.msgpack.Encoder().encode
_rest_decoded = msgspec.msgpack.Decoder(_Rest).decode


class Digester:
    """Sees records one after another, in the order of their offsets."""

    def __init__(self) -> None:
        self._records = 0
        self._first: int | None = None
        self._with, self._without = hashlib.sha256(), hashlib.sha256()

    def see(self, record: SavedRecord) -> bytes:
        """Count a record; returns it as the file has it."""
        rest = _rest_encoded(record[1:])
        octets = _HEAD.pack(len(rest), record.offset) + rest
        self.see_octets(octets, record.offset)
        return octets

    def see_octets(self, octets: bytes, offset: int) -> None:
        """Count a record that is at hand as the file has it."""
        if self._first is None:
            self._first = offset
        self._records += 1
        self._with.update(octets)
        self._without.update(memoryview(octets)[_HEAD.size :])

    def seen(self) -> SeenRecords:
        """What was seen so far."""
        return SeenRecords(
            self._records, self._first, self._with.hexdigest(), self._without.hexdigest()
        )


class PartitionFile:
    """Writes the file of a partition."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.digester = Digester()

    def append(self, record: SavedRecord) -> None:
        """Append a record."""
        self._file.write(self.digester.see(record))


def records_of(path: Path) -> Iterator[SavedRecord]:
    """The records of a file; raises `BackupBroken` where it is cut or is none of ours."""
    for offset, octets in _frames_of(path):
        try:
            yield SavedRecord(offset, *_rest_decoded(memoryview(octets)[_HEAD.size :]))
        except msgspec.DecodeError as error:
            raise BackupBroken(f"{path.name}: the record at {offset} cannot be read") from error


def records_seen_in(path: Path) -> SeenRecords:
    """What a file holds; raises `BackupBroken` where it is cut or missing."""
    digester = Digester()
    for offset, octets in _frames_of(path):
        digester.see_octets(octets, offset)
    return digester.seen()


def _frames_of(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            while head := file.read(_HEAD.size):
                length, offset = _HEAD.unpack(head) if len(head) == _HEAD.size else (0, 0)
                rest = file.read(length)
                if not length or len(rest) != length:
                    raise BackupBroken(f"{path.name} is cut")
                yield offset, head + rest
    except OSError as error:
        raise BackupBroken(f"{path.name}: {error.strerror}") from error
