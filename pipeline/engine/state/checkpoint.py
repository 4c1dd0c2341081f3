"""The folder of a worker's databases, and which databases a restore may continue from."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.engine.state.disk import FORMAT, DiskRows, Memory
from pipeline.engine.state.leftovers import sweep
from pipeline.home.lock import FolderTaken, try_lock

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path
    from typing import BinaryIO

log = logging.getLogger(__name__)

WORKERS: Final = 64
LOCK_NAME: Final = "lock"


class CheckpointUnusable(RuntimeError):
    """A restore must not continue from this checkpoint; the words say why."""


class Checkpoints:
    """The databases of one process: `FOLDER/<n>/<partition>`.

    A process locks the first `n` that no other process has locked, and keeps the lock as long as it
    lives. So workers of one home do not share a folder, and a restarted worker finds its databases.
    """

    def __init__(self, folder: Path) -> None:
        self._memory = Memory()
        self.folder, self._lock = _hold(folder)

    def open(self, partition: int, *, identity: str) -> DiskRows:
        """The partition's rows from its database, or empty rows if the database is unusable."""
        try:
            return self._open(partition, identity)
        except CheckpointUnusable as error:
            return self.begin_empty(partition, identity=identity, reason=str(error))

    def begin_empty(self, partition: int, *, identity: str, reason: str) -> DiskRows:
        """Delete what there is of the partition, and say why. It must have been closed."""
        log.warning("the checkpoint of partition %d is built anew: %s", partition, reason)
        shutil.rmtree(self.folder / str(partition))
        return self._open(partition, identity)

    def sweep(self, *, in_use: Collection[int], kept_ms: int) -> None:
        """Delete databases on this machine that are too old to continue from."""
        sweep(
            mine=self.folder,
            lock_name=LOCK_NAME,
            in_use=in_use,
            older_than_seconds=kept_ms / 1000,
        )

    def close(self) -> None:
        """Release the folder; every database must be closed before."""
        self._lock.close()

    def _open(self, partition: int, identity: str) -> DiskRows:
        folder = self.folder / str(partition)
        is_new = not folder.exists()
        try:
            rows = DiskRows(folder, identity=identity, memory=self._memory)
        except msgspec.MsgspecError as error:
            raise CheckpointUnusable(f"its mark cannot be read: {error}") from error
        except Exception as error:
            # rocksdict raises a bare Exception whatever is wrong.
            if is_new or "LOCK" in str(error) or "lock" in str(error):
                raise
            raise CheckpointUnusable(f"it is torn: {error}") from error
        if not is_new and (reason := _why_foreign(rows, identity)):
            rows.close()
            raise CheckpointUnusable(reason)
        return rows


def _why_foreign(rows: DiskRows, identity: str) -> str:
    if rows.mark.format != FORMAT:
        return f"it has format {rows.mark.format}, this is {FORMAT}"
    if rows.mark.identity != identity:
        return f"it is of {rows.mark.identity!r}, this is {identity!r}"
    return ""


def _hold(folder: Path) -> tuple[Path, BinaryIO]:
    """The first folder that no other process has locked, and the open file with our lock."""
    for number in range(WORKERS):
        mine = folder / str(number)
        mine.mkdir(parents=True, exist_ok=True)
        lock = (mine / LOCK_NAME).open("ab")
        if try_lock(lock):
            return mine, lock
        lock.close()
    raise FolderTaken(f"{WORKERS} processes hold the state under {folder}: give each worker a home")


def why_unusable(*, offset: int, beginning: int, end: int) -> str:
    """Why rows up to `offset` cannot belong to a changelog with these bounds; empty if they can."""
    if offset > end:
        return f"it reaches {offset} of the changelog, which ends at {end}"
    if 0 < offset < beginning:
        return f"it reaches {offset} of the changelog, which now begins at {beginning}"
    return ""


def may_lack_tombstones(*, at_ms: int, now_ms: int, kept_ms: int) -> bool:
    """Whether the changelog may have lost deletions after `at_ms`, as it keeps them `kept_ms`.

    A tenth of the time is a margin for clocks that differ and for the time of a restore. A time far
    in the future counts as too old, because the age is not known then.
    """
    age = now_ms - at_ms
    return age > kept_ms * 9 // 10 or age < -kept_ms // 10
