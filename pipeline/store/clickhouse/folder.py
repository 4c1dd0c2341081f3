"""Locks the folder of the embedded engine, which only one process may use at a time."""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Final, Self

from pipeline.home.lock import FolderTaken, try_lock

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

LOCK_SUFFIX: Final = ".owner"


class Folder:
    """Holds the folder by a lock on a file beside it, which holds the owner's process id.

    The engine locks its folder too, but a second process only gets the error "BAD_ARGUMENTS".
    """

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path = path
        self._file = _locked(path)

    def unlock(self) -> None:
        """Let the next process have it."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unlock()


def _locked(path: Path) -> IO[str]:
    file = path.with_name(path.name + LOCK_SUFFIX).open("a+")
    if not try_lock(file):
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise FolderTaken(
            f"the ClickHouse data in {path} is in use by process {owner}; "
            "query it through the report of that process (POST /sql), or stop the process"
        )
    file.seek(0)
    file.truncate()
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file
