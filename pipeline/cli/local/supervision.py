"""Keeps a few programs running: starts them in order, restarts with back-off, ends in order.

It knows nothing of what the programs are; `pipeline/cli/local/programs.py` says that.
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.cli.local.children import Child, Program
from pipeline.cli.local.patience import LivenessProbe
from pipeline.home.process import CannotStart, start_process, stop_process
from pipeline.process.backoff import backoff_seconds, spread
from pipeline.process.stop import EXIT_NO_ROOM

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Sequence
    from pathlib import Path

TICK_SECONDS: Final = 0.1
AGAIN_SECONDS: Final = 1.0
BACKOFF_SECONDS: Final = (0.5, 15.0)
# Before all programs ran, a program that keeps dying is probably set up wrongly, and a restart will
# not help. Later it is more likely that something that it needs is down for a while.
DEATHS_AT_FIRST: Final = 3
DEATHS_IN_A_ROW: Final = 10
REMINDER_SECONDS: Final = 15.0
END_SECONDS: Final = 9.0
LAST_SECONDS: Final = 1.0  # reserved for each program that is still to be ended
LAST_LINES: Final = 12


class SupervisionError(CannotStart):
    """A program cannot be kept running; the words hold the end of its log."""


def ending_in_words(status: int) -> str:
    """An exit status of `subprocess` in words."""
    if status < 0:
        return f"was killed by {signal.Signals(-status).name}"
    return f"ended with exit status {status}"


def last_lines(log: Path) -> str:
    """The last lines of a log, indented under a message; empty if there is no log."""
    if not log.is_file():
        return ""
    lines = log.read_text(errors="replace").splitlines()[-LAST_LINES:]
    return "".join(f"\n    {line}" for line in lines)


def keep_previous(log: Path) -> None:
    """Rename the log to `.1`, so that a new log begins."""
    if log.is_file() and log.stat().st_size:
        log.replace(log.with_name(f"{log.name}.1"))


@dataclass(kw_only=True)
class Supervisor:
    """Runs the programs. `programs` is the order of their starts, `ends` the order of their ends.

    Those of `told_at_once` are told to end before the first is waited for: none needs another.

    `changed` is called at every new process id, and `all_ready` once, when every program is ready.
    Each says whether that could be written down; if not, `changed` is called again, until it can.
    """

    programs: Sequence[Program]
    ends: Sequence[str]
    stop: threading.Event
    say: Callable[[str], None]
    changed: Callable[[], bool]
    all_ready: Callable[[], bool]
    hang_seconds: float = 0.0  # a program that does not answer for so long is ended; 0: never
    told_at_once: Sequence[str] = ()
    no_room: Callable[[], str] = str  # words while the disk is full, else empty
    children: dict[str, Child] = field(init=False)
    _were_ready: bool = False
    _is_written: bool = True
    _written_at: float = 0.0
    _reminded_at: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.children = {program.name: Child(program) for program in self.programs}

    @property
    def pids(self) -> dict[str, int]:
        """The process ids; a dead program keeps its id until it is started again."""
        return {name: it.process.pid for name, it in self.children.items() if it.process}

    def run(self) -> None:
        """Keep the programs running until `stop` is set; raises `SupervisionError`.

        Call `end` afterwards in either case.
        """
        patience = LivenessProbe(seconds=self.hang_seconds, stop=self.stop)
        if self.hang_seconds > 0:
            patience.watch(self.children)
        while not self.stop.is_set():
            for child in self.children.values():
                self._look_after(child)
                if patience.is_over(child):
                    self._end_hung(child)
            self._see_whether_all_are_ready()
            if not self._is_written and time.monotonic() > self._written_at + AGAIN_SECONDS:
                self._write(self.changed)
            self.stop.wait(TICK_SECONDS)

    def end(self) -> None:
        """End the programs one after the other, all within ten seconds."""
        deadline = time.monotonic() + END_SECONDS
        told: list[str] = []
        for name in self.told_at_once:
            process = self.children[name].process
            if process is not None and process.poll() is None:
                process.terminate()
                told.append(name)
        left = [self.children[name] for name in self.ends]
        while left:
            child = left.pop(0)
            if child.process is None:
                continue
            if child.process.poll() is not None and child.program.name not in told:
                continue
            share = deadline - time.monotonic() - LAST_SECONDS * len(left)
            patience = max(min(share, END_SECONDS / 2), 0.1)
            status = stop_process(child.process, patience_seconds=patience)
            child.runs = child.ready = False
            how = "stopped" if status in (0, -signal.SIGTERM, 143) else ending_in_words(status)
            self.say(f"{child.program.name} {how}")

    def _write(self, what: Callable[[], bool]) -> None:
        self._is_written = what()
        self._written_at = time.monotonic()

    def _look_after(self, child: Child) -> None:
        if child.runs and child.process is not None:
            if (status := child.process.poll()) is not None:
                seconds = time.monotonic() - child.started_at
                words = f"{ending_in_words(status)} after {seconds:.1f} s"
                self._died(child, words, is_without_room=status == EXIT_NO_ROOM)
            elif not child.ready and child.program.is_ready():
                self._became_ready(child)
        elif self._has_what_it_needs(child) and time.monotonic() >= child.start_at:
            self._start(child)

    def _end_hung(self, child: Child) -> None:
        """Kill a program that hangs; `_look_after` starts it again.

        SIGKILL, because it may hold the interpreter's lock and then handles no other signal.
        """
        if child.process is None:
            return
        child.hangs += 1
        self.say(f"{child.program.name} has not answered for {self.hang_seconds:.0f} s: ending it")
        child.process.kill()
        child.process.wait()
        self._write(self.changed)

    def _has_what_it_needs(self, child: Child) -> bool:
        return all(self.children[name].ready for name in child.program.needs)

    def _start(self, child: Child) -> None:
        program = child.program
        try:
            child.argv = tuple(program.command())
            child.process = start_process(
                child.argv,
                environment=program.environment,
                log=program.log,
                given=program.given,
            )
        except (OSError, CannotStart) as error:
            if not child.was_ready:
                raise SupervisionError(str(error)) from error
            self._died(child, f"cannot be started: {error}")
            return
        child.runs = True
        child.started_at = time.monotonic()
        self._write(self.changed)

    def _became_ready(self, child: Child) -> None:
        child.ready = True
        child.deaths = child.without_room = 0
        seconds = time.monotonic() - child.started_at
        pid = child.process.pid if child.process else 0
        self.say(f"{child.program.name} is ready after {seconds:.1f} s, pid {pid}")
        if not child.was_ready and child.program.once_ready:
            child.program.once_ready()
        child.was_ready = True

    def _died(self, child: Child, how: str, *, is_without_room: bool = False) -> None:
        """Report the death and plan the next start, or give up after too many deaths in a row.

        A death does not count while a program that this one needs is down, nor for lack of room:
        the same start succeeds once there is some.
        """
        program = child.program
        child.runs = child.ready = False
        full = self.no_room() or ("there is no room on its disk" if is_without_room else "")
        if full:
            child.without_room += 1
        elif self._has_what_it_needs(child):
            child.deaths += 1
        shortest, longest = BACKOFF_SECONDS
        failures = max(child.deaths, child.without_room)
        wait = spread(backoff_seconds(failures, shortest=shortest, longest=longest))
        child.start_at = time.monotonic() + wait
        pid = child.process.pid if child.process else 0
        words = f"{program.name} (pid {pid}) {how}"
        if child.deaths >= (DEATHS_IN_A_ROW if self._were_ready else DEATHS_AT_FIRST):
            raise SupervisionError(
                f"{words}, {child.deaths} times in a row; giving up. The end of"
                f" {program.log}:{last_lines(program.log)}"
            )
        why = f" ({full})" if full else ""
        self.say(f"{words}{why}; starting it again in {wait:.1f} s, see {program.log}")

    def _see_whether_all_are_ready(self) -> None:
        if self._were_ready:
            return
        waiting = [name for name, child in self.children.items() if not child.ready]
        if not waiting:
            self._were_ready = True
            self._write(self.all_ready)
        elif time.monotonic() - self._reminded_at > REMINDER_SECONDS:
            self._reminded_at = time.monotonic()
            self.say(f"still waiting for {', '.join(waiting)}")
