"""Locks on files. The kernel releases the lock of a process that ends in any way."""

from __future__ import annotations

import fcntl
from typing import IO, Any


class FolderTaken(RuntimeError):
    """Another process holds the folder; the words name the folder, and the process if known."""


def try_lock(file: IO[Any], *, shared: bool = False) -> bool:
    """Lock `file` until it is closed; False if another process holds the lock."""
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock(file: IO[Any]) -> None:
    """Lock `file` until it is closed; waits while another process holds the lock."""
    fcntl.flock(file, fcntl.LOCK_EX)
