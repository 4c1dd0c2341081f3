"""A run that is killed leaves no process of its own behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.orphans import MARKS, _marked

PATIENCE_SECONDS = 20.0
RUN = """
import os, signal, subprocess, sys, threading, time
from tests.support.orphans import kill_orphans_of_this_run

kill_orphans_of_this_run()
SPIN = [sys.executable, "-c", "while True: pass"]
STARTS = [sys.executable, "-c", f"import subprocess; subprocess.run({SPIN!r})"]
started = [subprocess.Popen(SPIN), subprocess.Popen(STARTS, start_new_session=True)]
other = threading.Thread(target=lambda: started.append(subprocess.Popen(SPIN)))
other.start()
other.join()
stopped = subprocess.Popen(SPIN)
os.kill(stopped.pid, signal.SIGSTOP)
print(*(it.pid for it in (*started, stopped)), flush=True)
time.sleep(60)
"""

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="marks are read from /proc")


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not: nobody may have waited for it yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def started_and_killed() -> list[int]:
    """The processes that a run started before it was killed."""
    with subprocess.Popen([sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        pids = [int(pid) for pid in run.stdout.readline().split()]
        assert all(map(is_alive, pids))
        run.kill()
    return pids


def test_what_a_killed_run_started_is_killed_and_nothing_else() -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)"]) as bystander:
        pids = started_and_killed()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while left := [pid for pid in pids if is_alive(pid)]:
            assert time.monotonic() < deadline, left
            time.sleep(0.05)
        assert bystander.poll() is None
        bystander.kill()


def test_what_a_started_process_starts_is_known_by_the_mark() -> None:
    mark = os.environ[MARKS].rpartition(",")[2]
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as started:
        assert started.pid in _marked(mark)
        assert os.getpid() not in _marked(mark)
        started.kill()
