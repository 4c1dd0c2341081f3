"""The poller's checkpoint: one small file, written atomically, with a digest of its content."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Final

import msgspec

from ingest.ftp.places import LogHead, LogPlace, digest_of
from pipeline.home.lock import FolderTaken, try_lock

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger("twoway.ftp")

FOLDER: Final = "ftp"
NAME: Final = "checkpoint"


class DiskTrouble(OSError):
    """The checkpoint cannot be written."""


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The logs that the poller follows, oldest first, and the heads of other logs beside them.

    `log` is the address of the log. The last of `places` is the log that the gateway writes now.
    `known` are logs that were read to their end, and logs that were there before the poller.
    """

    log: str
    places: tuple[LogPlace, ...] = ()
    known: tuple[LogHead, ...] = ()


class CheckpointFile:
    """The checkpoint file of a home, locked by one process at a time; raises `FolderTaken`."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER
        self.path = self._folder / NAME
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._lock = os.fdopen(descriptor, "r+b")
        if not try_lock(self._lock):
            self._lock.close()
            raise FolderTaken(f"another poller uses {self._folder}")

    def close(self) -> None:
        """Release the lock."""
        self._lock.close()

    def read(self) -> Checkpoint | None:
        """The last checkpoint written; None if there is none, or if it is damaged."""
        try:
            written = self.path.read_bytes()
        except FileNotFoundError:
            return None
        digest, _, body = written.partition(b"\n")
        try:
            if digest != digest_of(body).encode():
                raise msgspec.DecodeError("it is torn")
            return msgspec.json.decode(body, type=Checkpoint)
        except msgspec.DecodeError as error:
            aside = self.path.with_suffix(".unreadable")
            self.path.replace(aside)
            log.error(
                "the checkpoint cannot be read (%s) and is renamed to %s: the log is read from its"
                " start again, and lines that came before are dropped as duplicates",
                error,
                aside,
            )
            return None

    def write(self, checkpoint: Checkpoint) -> None:
        """Replace the last checkpoint atomically; raises `DiskTrouble`."""
        body = msgspec.json.encode(checkpoint)
        draft = self.path.with_suffix(".new")
        try:
            with draft.open("wb") as file:
                file.write(digest_of(body).encode() + b"\n" + body)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self.path)
            folder = os.open(self._folder, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            raise DiskTrouble(error.errno, f"the checkpoint cannot be written: {error}") from error
