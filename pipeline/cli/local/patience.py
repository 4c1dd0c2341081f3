"""Measures how long each program of a stack has not answered, with one thread per program."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.cli.local.children import Child

LOOKS: Final = 12  # questions within the time after which a silent program counts as hung


class Silence:
    """Measures how long one process has not answered.

    A gap of more than three steps between two questions does not count: this process had no
    processor then, and probably the other one had none either.
    """

    def __init__(self, *, step_seconds: float) -> None:
        self._step_seconds = step_seconds
        self._pid = 0
        self._asked_at = 0.0
        self._heard_at = 0.0

    def note(self, pid: int, *, answered: bool, now: float) -> None:
        """Record a question to process `pid` that ended at `now`, with an answer or without."""
        is_late = now - self._asked_at > 3 * self._step_seconds
        if answered or pid != self._pid or is_late:
            self._heard_at = now
        self._pid, self._asked_at = pid, now

    def seconds(self, pid: int) -> float:
        """How long the process has not answered, in seconds."""
        return self._asked_at - self._heard_at if pid == self._pid else 0.0


class LivenessProbe:
    """Asks every program that has `is_alive`, and says which has not answered for too long."""

    def __init__(self, *, seconds: float, stop: threading.Event) -> None:
        self._seconds = seconds
        self._stop = stop
        self._silences: dict[str, Silence] = {}

    def watch(self, children: Mapping[str, Child]) -> None:
        """Ask in threads from now on, until `stop` is set."""
        for name, child in children.items():
            if child.program.is_alive:
                self._silences[name] = Silence(step_seconds=self._seconds / LOOKS)
                asking = threading.Thread(
                    target=self._ask, args=(child,), name=f"asks {name}", daemon=True
                )
                asking.start()

    def _ask(self, child: Child) -> None:
        is_alive = child.program.is_alive
        while is_alive and not self._stop.wait(self._seconds / LOOKS):
            process = child.process
            if process is not None:
                # A program that is not ready has no port yet. One that a debugger or a signal has
                # stopped is left alone.
                answered = not child.ready or is_stopped(process.pid) or is_alive()
                now = time.monotonic()
                self._silences[child.program.name].note(process.pid, answered=answered, now=now)

    def is_over(self, child: Child) -> bool:
        """Whether the child's process has not answered for too long."""
        silence = self._silences.get(child.program.name)
        if silence is None or child.process is None or not child.runs:
            return False
        return silence.seconds(child.process.pid) >= self._seconds


def is_stopped(pid: int) -> bool:
    """Whether a signal or a debugger has stopped the process (proc(5), on Linux)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] in ("T", "t")
