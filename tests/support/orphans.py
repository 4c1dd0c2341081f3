"""No process that a test starts outlives the run, however the run ends, also by SIGKILL.

A run sets a mark in its environment. Every process that it starts inherits the mark, and so do
their child processes. A watcher holds one end of a pipe. When the run is gone, the kernel closes
the other end, and the watcher kills every process with the mark. So a test may start processes from
any thread.

`python -I -S tests/support/orphans.py MARK` is the watcher; the pipe is its standard input.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path

MARKS = "RUNS_OF_TESTS"  # of a run and of those it runs in, with commas between
_LOOK_AGAIN_SECONDS = 0.05
_LOOKS = 3


def kill_orphans_of_this_run() -> None:
    """Have every process that this one starts killed when this process is gone. Linux only."""
    if sys.platform != "linux":
        return
    mark = uuid.uuid4().hex
    os.environ[MARKS] = ",".join(filter(None, (os.environ.get(MARKS), mark)))
    reading, _open_as_long_as_we_live = os.pipe()
    os.posix_spawn(
        sys.executable,
        [sys.executable, "-I", "-S", __file__, mark],
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, reading, 0)],
        setsid=True,  # out of reach of Ctrl-C, and of a signal to the whole group
    )
    os.close(reading)


def _marked(mark: str) -> list[int]:
    """The ids of processes with the mark, except ours."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # another user's, or gone
            environment = (folder / "environ").read_bytes()
            if mark.encode() in environment and int(folder.name) != os.getpid():
                found.append(int(folder.name))
    return found


def watch(mark: str) -> None:
    """Wait for the end of the run, then kill until no such process is left."""
    while os.read(0, 4096):
        pass
    looks_without = 0
    while looks_without < _LOOKS:  # one that was just being started has no mark of its own yet
        pids = _marked(mark)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        looks_without = 0 if pids else looks_without + 1
        time.sleep(_LOOK_AGAIN_SECONDS)


if __name__ == "__main__":
    watch(sys.argv[1])
