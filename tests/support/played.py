"""The stack of `twoway demo --keep`, which exports its traces to a collector.

It is a whole stack with the gateway's stand-in beside it, and the demo was played on it.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.cli.demo.stack import LOG_NAME, READY_NAME
from pipeline.gateway.files import where
from pipeline.home.stack import find_stack
from tests.support.log_search import refuse_handsets_in_logs
from tests.support.running import READY_SECONDS, RunningStack, environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.collector import Collector

PLAY_SECONDS: Final = 240.0
END_SECONDS: Final = 60.0
STAYS: Final = "Ctrl-C ends it all"


@dataclass
class Played:
    """The running stack, and the file of what the demo printed."""

    running: RunningStack
    said: Path
    collector: Collector | None  # None where the extra otel is not installed
    loud_at_start: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.running.home

    def start(self) -> None:
        """Start the demo, and wait until all is played."""
        with self.said.open("wb") as output:
            self.running.process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli.main", "demo", "--keep", "--home", self.home],
                env=environment_without_settings(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait((self.home / READY_NAME).is_file, READY_SECONDS)
        self.loud_at_start = self.running.loud_lines()
        self._wait(lambda: STAYS in self.said.read_text(), PLAY_SECONDS)

    def end(self) -> None:
        """Ctrl-C: the demo ends its stack with itself."""
        process = self.running.process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(END_SECONDS)

    def _wait(self, holds: Callable[[], bool], seconds: float) -> None:
        assert self.running.process is not None
        deadline = time.monotonic() + seconds
        while not holds():
            words = f"{self.said.read_text()}\n{self.running.said()}"
            assert self.running.process.poll() is None, words
            assert time.monotonic() < deadline, words
            time.sleep(0.1)


@pytest.fixture(scope="session")
def played() -> Iterator[Played]:
    """The suite's stack with a stand-in. It ends with the stack, and says no more where it was."""
    with (
        tempfile.TemporaryDirectory(prefix="twoway-played-") as name,
        pytest.MonkeyPatch.context() as variables,
        ExitStack() as ends,
    ):
        home = Path(name) / "home"
        home.mkdir()
        # The demo hands no TWOWAY_ variable on to its stack.
        settings = "block_seconds = 0.2\n"
        collector = None
        if find_spec("opentelemetry") and find_spec("opentelemetry.sdk"):
            from tests.support.collector import Collector

            collector = ends.enter_context(Collector())
            settings += f'otel_endpoint = "{collector.endpoint}"\n'
            variables.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        (home / "settings.toml").write_text(settings)
        running = RunningStack(home)
        running.log = home / LOG_NAME
        made = Played(running, Path(name) / "said", collector)
        ends.callback(made.end)
        made.start()
        variables.undo()
        yield made
        assert running.stop(within_seconds=END_SECONDS) == 0, made.said.read_text()
        assert find_stack(home) is None
        assert where(home) == {}
        refuse_handsets_in_logs(home)
