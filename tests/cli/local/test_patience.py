"""A process that does not answer is ended and started again; a stopped process is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.local.patience import Silence, is_stopped
from tests.cli.local.test_supervision import Stage

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


@pytest.mark.parametrize(
    ("notes", "seconds"),
    [
        pytest.param([(0.0, True), (5.0, False), (10.0, False)], 10.0, id="silent"),
        pytest.param([(0.0, True), (5.0, False), (10.0, True)], 0.0, id="answers-again"),
        pytest.param([(0.0, True), (5.0, False), (99.0, False), (104.0, False)], 5.0, id="starved"),
    ],
)
def test_only_time_in_which_somebody_asked_counts(
    notes: list[tuple[float, bool]], seconds: float
) -> None:
    silence = Silence(step_seconds=5.0)
    for now, answered in notes:
        silence.note(7, answered=answered, now=now)

    assert silence.seconds(7) == seconds
    assert silence.seconds(8) == 0.0


def test_what_does_not_answer_is_killed_started_again_and_counted(stage: Stage) -> None:
    answers = {"value": True}
    program = replace(stage.program("one"), is_alive=lambda: answers["value"])
    supervisor = stage.supervisor(program)
    supervisor.hang_seconds = 0.5
    child = supervisor.children["one"]
    with stage.playing(supervisor):
        stage.wait(lambda: child.ready)
        first = supervisor.pids["one"]
        answers["value"] = False
        stage.wait(lambda: child.hangs > 0)
        answers["value"] = True
        stage.wait(lambda: child.ready and supervisor.pids["one"] != first)
    assert any("has not answered" in line for line in stage.said)
    assert any("was killed by SIGKILL" in line for line in stage.said)


def test_what_was_stopped_by_a_signal_is_left_alone(stage: Stage) -> None:
    answers = {"value": True}
    program = replace(stage.program("one"), is_alive=lambda: answers["value"])
    supervisor = stage.supervisor(program)
    supervisor.hang_seconds = 0.5
    child = supervisor.children["one"]
    with stage.playing(supervisor):
        stage.wait(lambda: child.ready)
        pid = supervisor.pids["one"]
        os.kill(pid, signal.SIGSTOP)
        stage.wait(lambda: is_stopped(pid))
        answers["value"] = False
        until = time.monotonic() + 1.0
        stage.wait(lambda: time.monotonic() > until)
        hangs = child.hangs
        answers["value"] = True
        os.kill(pid, signal.SIGCONT)
    assert hangs == 0


@pytest.mark.parametrize(
    "holds",
    [
        pytest.param(r"re.fullmatch(r'(?:a|a)*b', 'a' * 60)", id="expression-that-holds-the-lock"),
        pytest.param("time.sleep(60)", id="call-that-waits"),
    ],
)
def test_a_process_whose_loop_stands_still_ends_and_says_where(holds: str) -> None:
    code = (
        "import asyncio, re, time\nfrom pipeline.process.hang import end_when_hung\n"
        "async def main():\n  watching = asyncio.create_task(end_when_hung(0.5))\n"
        f"  await asyncio.sleep(1.2)\n  print('lives', flush=True)\n  {holds}\n"
        "asyncio.run(main())"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30
    )

    assert done.returncode == 1
    assert "lives" in done.stdout
    assert "Timeout" in done.stderr
    assert "in main" in done.stderr
    assert time.monotonic() - began < 20
