"""Holds a home for one supervisor, and ends processes that a killed supervisor left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.home.lock import try_lock
from pipeline.home.process import CannotStart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

LOCK_NAME: Final = "lock"
CHILDREN_NAME: Final = "children.json"
LOCK_SECONDS: Final = 1.0  # `is_held` takes the lock for an instant, so try for a while
LEFTOVER_SECONDS: Final = 5.0


class HomeHeld(CannotStart):
    """Another supervisor runs on this home; the words say which and since when."""


def write_atomically(path: Path, text: str) -> None:
    """Write `text` to `path` in one step: a reader sees the whole new text or the old one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text)
    draft.replace(path)


def is_held(home: Path) -> bool:
    """Whether a supervisor holds the home. The kernel releases the lock of a dead process."""
    try:
        with (home / LOCK_NAME).open("r") as file:
            return not try_lock(file, shared=True)
    except FileNotFoundError:
        return False


@contextmanager
def hold(home: Path) -> Iterator[None]:
    """Hold the home for as long as the block runs; raises `HomeHeld`."""
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Opened without truncation: what another holder wrote must stay.
    descriptor = os.open(home / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        deadline = time.monotonic() + LOCK_SECONDS
        while not try_lock(file):
            if time.monotonic() > deadline:
                raise HomeHeld(f"{home} is held by {_holder(file.read())}")
            time.sleep(0.05)
        file.truncate(0)
        since = datetime.now(UTC).isoformat(timespec="seconds")
        file.write(json.dumps({"pid": os.getpid(), "since": since}) + "\n")
        file.flush()
        yield


def _holder(text: str) -> str:
    try:
        written = json.loads(text)
        return f"`twoway up`, pid {written['pid']}, since {written['since']}"
    except (ValueError, KeyError):
        return "another `twoway up` that is just starting"


def command_of(pid: int) -> str | None:
    """The command line of a running process; None if no process has this id."""
    try:
        if Path("/proc/self/cmdline").is_file():
            octets = Path(f"/proc/{pid}/cmdline").read_bytes()
            return octets.rstrip(b"\0").replace(b"\0", b" ").decode(errors="replace") or None
        asked = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603
    except (FileNotFoundError, ProcessLookupError):
        return None
    return done.stdout.strip() or None


def write_children(home: Path, children: Mapping[str, tuple[int, Sequence[str]]]) -> None:
    """Write down the processes of this home, for the next supervisor if this one is killed."""
    rows = {name: {"pid": pid, "argv": list(argv)} for name, (pid, argv) in children.items()}
    write_atomically(home / CHILDREN_NAME, json.dumps(rows) + "\n")


def end_leftovers(home: Path, *, say: Callable[[str], None]) -> None:
    """Kill processes that a killed supervisor left, if the id still belongs to that command."""
    file = home / CHILDREN_NAME
    if not file.is_file():
        return
    for name, row in json.loads(file.read_text()).items():
        pid, argv = int(row["pid"]), " ".join(row["argv"])
        if command_of(pid) == argv:
            say(f"ending {name}, pid {pid}, which a killed `twoway up` left running")
            os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + LEFTOVER_SECONDS
        while command_of(pid) == argv:
            if time.monotonic() > deadline:
                raise HomeHeld(f"{name}, pid {pid}, does not end; end it before you start again")
            time.sleep(0.05)
    file.unlink()
