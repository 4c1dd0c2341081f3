"""Ends a process whose event loop no longer runs, so that a supervisor starts it again.

A regular expression or another call into C may hold the interpreter's lock for hours. Then no
thread and no signal handler of Python runs. The timer of faulthandler is a thread in C and needs no
lock. It writes the stack of each thread (only files and lines) into a file under HOME/hangs, and
ends the process with status 1. So the next start of the process finds what became of the one
before, and says it: in the log, in `twoway status`, and by a metric.
"""

from __future__ import annotations

import asyncio
import faulthandler
import fcntl
import logging
import os
import re
import socket
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from prometheus_client import Gauge

from pipeline.process import troubles

if TYPE_CHECKING:
    from pathlib import Path

    from pipeline.settings import Settings

log: Final = logging.getLogger("twoway.process")

#: How often the timer is reset in the time that a process may hang.
BEATS: Final = 20
STDERR: Final = 2
FOLDER: Final = "hangs"
MOST_OCTETS: Final = 65_536  # of stacks
HUNG_AT: Final = Gauge(
    "twoway_process_hung_time_seconds",
    "When a process of this name and host last ended itself because it hung, seconds since 1970;"
    " 0: never",
)


class _Stacks:
    """Where the stacks of this process go when it hangs; stderr in most tests."""

    descriptor: int = STDERR
    file: Path | None = None


def watch(settings: Settings, name: str) -> None:
    """Say whether the process `name` before this one hung, and write down from now on if it does.

    Call it once, at the start. Where no file can be had, the stacks go to stderr, and no later
    process knows of the hang.
    """
    if settings.hang_seconds <= 0:
        return
    file = settings.home / FOLDER / _file_name(name, settings.instance)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _tell_former(descriptor, file)
        except OSError:
            os.close(descriptor)
            raise
    except OSError as error:
        log.warning("a hang would be seen in this log alone: %s: %s", file, error.strerror)
        return
    _Stacks.descriptor, _Stacks.file = descriptor, file


async def end_when_hung(seconds: float) -> None:
    """Until cancelled, end the process when this loop has not run for `seconds`; 0: never."""
    if seconds <= 0:
        return
    try:
        while True:
            faulthandler.dump_traceback_later(seconds, exit=True, file=_Stacks.descriptor)
            await asyncio.sleep(seconds / BEATS)
    finally:
        faulthandler.cancel_dump_traceback_later()
        _let_go()


def _file_name(name: str, instance: str) -> str:
    """A file for each process: containers of one service may share the folder."""
    whose = instance or socket.gethostname()
    return re.sub(r"[^A-Za-z0-9._-]", "_", name if whose == name else f"{name}-{whose}")


def _tell_former(descriptor: int, file: Path) -> None:
    """Say what the process before left, and keep that until another one hangs."""
    kept = file.with_name(f"{file.name}.last")
    if stacks := os.pread(descriptor, MOST_OCTETS, 0):
        at = os.fstat(descriptor).st_mtime
        kept.write_bytes(stacks)
        os.utime(kept, (at, at))
        os.truncate(descriptor, 0)
        log.error("the process before this one hung and ended itself; here its threads stood:")
        sys.stderr.write(stacks.decode("utf-8", "replace"))
        sys.stderr.flush()
        troubles.tell_end("it hung, and ended itself; its log says where its threads stood")
    if kept.is_file():
        HUNG_AT.set(kept.stat().st_mtime)


def _let_go() -> None:
    """The process ends in order: leave no file."""
    descriptor, file = _Stacks.descriptor, _Stacks.file
    if file is None:
        return
    _Stacks.descriptor, _Stacks.file = STDERR, None
    with suppress(OSError):  # the store may not change other files than its own
        file.unlink()
    os.close(descriptor)
