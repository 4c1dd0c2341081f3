"""A whole stack with the gateway's stand-in beside it, which exports its traces to a collector."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline.gateway.files import where
from tests.support.log_search import refuse_handsets_in_logs
from tests.support.migrated import migrated
from tests.support.running import RunningStack

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.collector import Collector


@dataclass
class Played:
    """The running stack."""

    running: RunningStack
    collector: Collector | None  # None where the extra otel is not installed
    loud_at_start: list[str] = field(default_factory=list)

    @property
    def home(self) -> Path:
        return self.running.home


@pytest.fixture(scope="session")
def played() -> Iterator[Played]:
    """The suite's stack with a stand-in. It ends with the stack, and says no more where it was."""
    with (
        tempfile.TemporaryDirectory(prefix="twoway-played-") as name,
        pytest.MonkeyPatch.context() as variables,
        ExitStack() as ends,
    ):
        collector = None
        settings = {"block_seconds": "0.2", "partitions": "4"}
        if find_spec("opentelemetry") and find_spec("opentelemetry.sdk"):
            from tests.support.collector import Collector

            collector = ends.enter_context(Collector())
            settings["otel_endpoint"] = collector.endpoint
            variables.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
        running = RunningStack(migrated(Path(name) / "home"), settings=settings)
        ends.callback(running.kill)
        running.start("--gateway")
        variables.undo()
        yield Played(running, collector, running.loud_lines())
        assert running.stop(within_seconds=60) == 0
        assert where(running.home) == {}
        refuse_handsets_in_logs(running.home)
