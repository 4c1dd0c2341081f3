"""Deletes databases that workers left on this machine and that no restore continues from.

They hold people's numbers.
"""

from __future__ import annotations

import logging
import shutil
import time
from typing import TYPE_CHECKING

from pipeline.home.lock import try_lock

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

log = logging.getLogger(__name__)


def sweep(
    *, mine: Path, lock_name: str, in_use: Collection[int], older_than_seconds: float
) -> list[Path]:
    """Delete databases without a write for `older_than_seconds`; returns the deleted ones.

    In `mine`, the folder of this process, partitions in use stay. Neighbouring folders are swept
    only if their process has ended. A restore would rebuild databases of this age in any case.
    """
    unused = [database for database in _databases(mine) if int(database.name) not in in_use]
    swept = _delete_older(unused, older_than_seconds)
    for folder in sorted(mine.parent.iterdir()):
        if folder == mine or not (folder / lock_name).exists():
            continue
        with (folder / lock_name).open("ab") as lock:
            if try_lock(lock):
                swept += _delete_older(_databases(folder), older_than_seconds)
    return swept


def _databases(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if child.is_dir() and child.name.isdigit())


def _age_seconds(database: Path) -> float:
    """Seconds since a file of the database was last written."""
    return time.time() - max((file.stat().st_mtime for file in database.iterdir()), default=0.0)


def _delete_older(databases: list[Path], older_than_seconds: float) -> list[Path]:
    old = [d for d in databases if _age_seconds(d) > older_than_seconds]
    for database in old:
        log.info("%s is deleted: it was unused for too long to continue from it", database)
        shutil.rmtree(database)
    return old
