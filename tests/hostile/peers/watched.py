"""Runs a process of ours, measures its memory, and starts it again when it ends."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_KILOBYTES: Final = 32 * 1024
LOG_OCTETS: Final = 2_000_000  # the most that one process may log in a whole run
END_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.05


def kilobytes_of(pid: int, name: str) -> int:
    """The value of a line of /proc/PID/status (proc(5)), in KiB; 0 if the process has ended."""
    with suppress(OSError, IndexError):
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0])
    return 0


class Watched:
    """A process `twoway NAME` whose output is in HOME/logs/NAME.log."""

    def __init__(self, name: str, home: Path, settings: Mapping[str, str]) -> None:
        self.name = name
        self.log = home / "logs" / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._environment = environment_without_settings(settings) | {"TWOWAY_HOME": str(home)}
        self.process = self._started()
        self.idle = 0
        self.highest = 0
        self.ends: list[int] = []  # the exit codes with which it ended by itself
        self._over = threading.Event()
        self._watching = threading.Thread(target=self._watch, daemon=True)

    def _started(self) -> subprocess.Popen[bytes]:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.hostile.peers.quick", self.name],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _watch(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            status = self.process.poll()
            if status is None:
                self.highest = max(self.highest, kilobytes_of(self.process.pid, "VmHWM"))
                continue
            self.ends.append(status)
            time.sleep(0.2)
            self.process = self._started()

    def begin(self) -> None:
        """Measure the growth of memory from now on, when the process is idle."""
        self.idle = self.highest = max(
            kilobytes_of(self.process.pid, "VmHWM"), kilobytes_of(self.process.pid, "VmRSS")
        )
        self._watching.start()

    def begin_anew(self) -> None:
        """Reset the peak of memory that the kernel keeps (proc(5): clear_refs)."""
        with suppress(OSError):  # the process may have ended
            Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        self.highest = 0

    def check(self) -> None:
        """Check that the process runs or ended with 1 or 70, and that memory and log are small."""
        said = self.log.read_text(errors="replace")
        assert self.process.poll() is None or self.ends, said[-2_000:]
        assert set(self.ends) <= {1, 70}, (self.ends, said[-2_000:])  # never by a signal
        grown = self.highest - self.idle
        assert grown < MOST_KILOBYTES, f"{self.name} has grown by {grown} KiB"
        assert len(said) < LOG_OCTETS, f"{self.name} said {len(said)} octets"

    def tell_to_end(self) -> None:
        """Send SIGTERM, and do not start the process again."""
        self._over.set()
        if self._watching.is_alive():
            self._watching.join(5)
        self.process.terminate()

    def end(self) -> None:
        """End the process by SIGTERM, and do not start it again."""
        if not self._over.is_set():
            self.tell_to_end()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def watched(name: str, home: Path, settings: Mapping[str, str]) -> Iterator[Watched]:
    """A process that is started here, and ended with the block."""
    process = Watched(name, home, settings)
    try:
        yield process
    finally:
        process.end()
