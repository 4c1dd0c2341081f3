"""Homes whose embedded store has every migration already: copies of one that is made once.

The migrations of a new store take a second of processor time and wait for the disk; opening a
copy takes a tenth. That a new home gets its migrations is tested in tests/store/clickhouse.
`python -m tests.support.migrated HOME` makes the first. Tests side by side share it.
"""

from __future__ import annotations

import atexit
import fcntl
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from pipeline.settings import Settings
from pipeline.store.clickhouse.database import FOLDER_NAME, Database

_folder: Path | None = None


def share_first_in(folder: Path) -> None:
    """Keep the first in this folder, for all processes that name it. Who made it removes it."""
    global _folder
    _folder = folder
    _first.cache_clear()


def migrated(home: Path) -> Path:
    """The home, made where it is not there, with an empty store to which nothing is to be done."""
    home.mkdir(parents=True, exist_ok=True)
    target = home / FOLDER_NAME
    assert not target.exists(), f"{home} has a store"
    shutil.copytree(_first() / FOLDER_NAME, target, symlinks=True)
    return home


@cache
def _first() -> Path:
    """Made in a process of its own: a process can have one embedded store open at a time."""
    folder = _folder or _own_folder()
    home = folder / "migrated"
    with (folder / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.is_dir():
            made = folder / "migrated-in-part"  # until it is whole, whatever happens
            shutil.rmtree(made, ignore_errors=True)
            subprocess.run([sys.executable, "-m", "tests.support.migrated", str(made)], check=True)
            made.rename(home)
    return home


def _own_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="twoway-migrated-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir()
    Database(Settings(home=Path(sys.argv[1]))).close()
