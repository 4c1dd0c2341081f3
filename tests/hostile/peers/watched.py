"""A process of ours, started again when it ends, as `up` and containers do, and watched."""

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
LOG_OCTETS: Final = 2_000_000  # of one process over a whole run
END_SECONDS: Final = 30.0
LOOK_SECONDS: Final = 0.05


def kilobytes_of(pid: int, name: str) -> int:
    """A line of /proc/PID/status (proc(5)); 0 when there is none any more."""
    with suppress(OSError, IndexError):
        status = Path(f"/proc/{pid}/status").read_text()
        return int(status.split(f"{name}:")[1].split()[0])
    return 0


class Watched:
    """`twoway NAME`; what it said is in HOME/logs/NAME.log."""

    def __init__(self, name: str, home: Path, settings: Mapping[str, str]) -> None:
        self.name = name
        self.log = home / "logs" / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._environment = environment_without_settings(settings) | {"TWOWAY_HOME": str(home)}
        self.process = self._started()
        self.idle = 0
        self.highest = 0
        self.ends: list[int] = []  # what it ended with by itself
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
        """It is idle now: its memory is measured from here."""
        self.idle = self.highest = max(
            kilobytes_of(self.process.pid, "VmHWM"), kilobytes_of(self.process.pid, "VmRSS")
        )
        self._watching.start()

    def begin_anew(self) -> None:
        """What it was at its highest is measured from here (proc(5): clear_refs)."""
        with suppress(OSError):  # it may have ended
            Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        self.highest = 0

    def check(self) -> None:
        """It lives, or ended with words and was started again; it stayed small, and said little."""
        said = self.log.read_text(errors="replace")
        assert self.process.poll() is None or self.ends, said[-2_000:]
        assert set(self.ends) <= {1, 70}, (self.ends, said[-2_000:])  # never by a signal
        grown = self.highest - self.idle
        assert grown < MOST_KILOBYTES, f"{self.name} has grown by {grown} KiB"
        assert len(said) < LOG_OCTETS, f"{self.name} said {len(said)} octets"

    def end(self) -> None:
        """SIGTERM, and no further start."""
        self._over.set()
        if self._watching.is_alive():
            self._watching.join(5)
        self.process.terminate()
        try:
            self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@contextmanager
def watched(name: str, home: Path, settings: Mapping[str, str]) -> Iterator[Watched]:
    """Started; ended in order."""
    process = Watched(name, home, settings)
    try:
        yield process
    finally:
        process.end()
