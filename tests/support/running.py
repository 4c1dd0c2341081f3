"""Real processes for tests: the command line, and a whole `twoway up` with a home of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from pipeline.home.stack import Stack, find_stack

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

READY_SECONDS: Final = 240.0  # the first start of a machine fetches Kafka
END_SECONDS: Final = 10.0  # Ctrl-C ends all within it
COMMAND_SECONDS: Final = 120.0
#: A line of warning or above, of a process of ours or of Kafka.
LOUD: Final = re.compile(r"\d{4}-\d\d-\d\d[ T][\d:,]+ (?:WARN|ERROR|CRITICAL|FATAL)")
#: What Kafka itself warns of when a broker starts for the first time.
OF_A_NEW_BROKER: Final = ("Performing controller activation", "TOPIC_ALREADY_EXISTS")


def environment_without_settings(settings: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without TWOWAY_ variables of the user, plus `settings` (x: TWOWAY_X)."""
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("TWOWAY_")}
    given = {f"TWOWAY_{name.upper()}": text for name, text in (settings or {}).items()}
    return inherited | given | {"PYTHONUNBUFFERED": "1"}


def run_cli(
    *words: str,
    home: Path,
    settings: Mapping[str, str] | None = None,
    stdin: str = "",
    check: bool = True,
    timeout_seconds: float = COMMAND_SECONDS,
) -> subprocess.CompletedProcess[str]:
    """`twoway *words` on `home`; with `check`, another exit code than 0 fails with the output."""
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.cli.main", *words],
        env=environment_without_settings(settings) | {"TWOWAY_HOME": str(home)},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stderr}"
    return done


class RunningStack:
    """A `twoway up` for a test; `start` returns when its ready file exists."""

    def __init__(self, home: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.ready_file = home / "ready-for-tests.json"
        self.log = home / "up.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._settings = dict(settings or {})

    @property
    def stack(self) -> Stack:
        """The present addresses and process ids."""
        found = find_stack(self.home)
        assert found is not None, self.said()
        return found

    def said(self) -> str:
        """The output of `up`, and the end of the log of each of its processes."""
        logs = [self.log, *sorted((self.home / "logs").glob("*.log"))]
        return "\n".join(
            f"--- {log.name}\n{log.read_text(errors='replace')[-3_000:]}"
            for log in logs
            if log.is_file()
        )

    def loud_lines(self) -> list[str]:
        """The lines of warning or above in the logs of all processes so far."""
        return [
            f"{log.name}: {line}"
            for log in [self.log, *sorted((self.home / "logs").glob("*.log"))]
            for line in log.read_text(errors="replace").splitlines()
            if LOUD.match(line) and not any(words in line for words in OF_A_NEW_BROKER)
        ]

    def start(self, *options: str) -> None:
        """Start on free ports, with further options of `up`, and wait until all is ready."""
        self.home.mkdir(parents=True, exist_ok=True)
        self.ready_file.unlink(missing_ok=True)
        ports = ("--http-port", "0", "--report-port", "0", "--kafka-port", "0")
        words = ("up", "--home", str(self.home), "--ready-file", str(self.ready_file), *ports)
        words += options
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli.main", *words],
                env=environment_without_settings(self._settings),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + READY_SECONDS
        while not self.ready_file.is_file():
            status = self.process.poll()
            assert status is None, f"up ended with {status}\n{self.said()}"
            assert time.monotonic() < deadline, f"up is not ready\n{self.said()}"
            time.sleep(0.1)

    def stop(self, *, within_seconds: float = END_SECONDS) -> int:
        """Send Ctrl-C and return the exit status; it must end in time."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(within_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"up did not end in {within_seconds} s\n{self.said()}") from None

    def kill(self) -> None:
        """Send SIGKILL to `up` itself; its processes end with it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def cli(
        self, *words: str, stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """`twoway *words` on this stack, in this process."""
        from tests.support.here import run_here

        return run_here(*words, home=self.home, stdin=stdin, check=check)
