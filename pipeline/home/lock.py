"""Locks on files: held by one process, and let go with it, however it ends."""

from __future__ import annotations

import fcntl
from typing import IO, Any


class FolderTaken(RuntimeError):
    """Another process holds the folder; the words say which folder, and who where it is known."""


def try_lock(file: IO[Any], *, shared: bool = False) -> bool:
    """Lock `file` until it is closed; False at once while another process holds it."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock(file: IO[Any]) -> None:
    """Lock `file` until it is closed; waits while another process holds it."""
    fcntl.flock(file, fcntl.LOCK_EX)
