"""A process that hung ended itself, and the next one of its name says so."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import httpx
import pytest

from pipeline.cli.local.ports import free_port
from pipeline.process import hang, troubles
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from pathlib import Path

CODE = """
import asyncio, re, time
from pathlib import Path
from pipeline.process import hang, troubles
from pipeline.settings import Settings

async def main():
    settings = Settings(home=Path({home!r}), instance={instance!r}, hang_seconds=0.5)
    troubles.tell_in(settings.home, "worker")
    hang.watch(settings, "worker")
    print(hang.HUNG_AT._value.get(), flush=True)
    watching = asyncio.create_task(hang.end_when_hung(settings.hang_seconds))
    await asyncio.sleep(0.1)
    {does}
    watching.cancel()
    await asyncio.wait([watching])
asyncio.run(main())
"""
HANGS = "re.fullmatch(r'(?:a|a)*b', 'a' * 60)"
ENDS = "pass"
KILLED = "import os; os.kill(os.getpid(), 9)"
RAISES = "raise SystemExit(1)"


def ended(home: Path, does: str, *, instance: str = "one") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", CODE.format(home=str(home), instance=instance, does=does)],
        env=environment_without_settings(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_the_next_start_says_it_once_and_its_metric_for_good(tmp_path: Path) -> None:
    began = time.time()
    assert ended(tmp_path, HANGS).returncode == 1
    second, third = ended(tmp_path, ENDS), ended(tmp_path, ENDS)
    assert began - 1 <= float(second.stdout) <= time.time()
    assert third.stdout == second.stdout
    assert "Timeout" in second.stderr
    assert "in main" in second.stderr
    assert third.stderr == ""
    ((name, words),) = troubles.ended(tmp_path, now=time.time())
    assert name == "worker"
    assert "ended 1 times" in words
    assert "hung" in words


@pytest.mark.parametrize(
    ("does", "status"), [(ENDS, 0), (KILLED, -signal.SIGKILL), (RAISES, 1)], ids=["0", "kill", "1"]
)
def test_another_end_is_no_hang(tmp_path: Path, does: str, status: int) -> None:
    assert ended(tmp_path, does).returncode == status
    after = ended(tmp_path, ENDS)
    assert (float(after.stdout), after.stderr) == (0.0, "")
    assert list((tmp_path / hang.FOLDER).iterdir()) == []


def test_the_hang_of_another_instance_is_its_own(tmp_path: Path) -> None:
    ended(tmp_path, HANGS, instance="two")
    assert float(ended(tmp_path, ENDS).stdout) == 0.0
    assert float(ended(tmp_path, ENDS, instance="two").stdout) > 0.0


def test_a_second_process_of_the_name_takes_nothing_of_the_first(tmp_path: Path) -> None:
    code = CODE.format(home=str(tmp_path), instance="one", does="await asyncio.sleep(60)")
    first = subprocess.Popen(
        [sys.executable, "-c", code], env=environment_without_settings(), stdout=subprocess.PIPE
    )
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == b"0.0\n"
        second = ended(tmp_path, HANGS)
        assert "in this log alone" in second.stderr
        assert "Timeout" in second.stderr
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
    assert float(ended(tmp_path, ENDS).stdout) == 0.0


def test_without_a_folder_the_stacks_are_in_the_log(tmp_path: Path) -> None:
    (tmp_path / hang.FOLDER).write_text("no folder")
    done = ended(tmp_path, HANGS)
    assert done.returncode == 1
    assert "Timeout" in done.stderr


@pytest.mark.parametrize("instance", ["../../etc/x", "a/b", "one two", "\n"])
def test_an_instance_is_no_path(instance: str) -> None:
    assert re.fullmatch(r"worker-[A-Za-z0-9._-]+", hang._file_name("worker", instance))


def test_a_real_process_says_it_by_its_metrics(tmp_path: Path) -> None:
    """Stopped for longer than it may hang, it ends as soon as it goes on."""
    port = free_port()
    settings = {"home": str(tmp_path), "http_port": str(port), "hang_seconds": "1"}
    settings |= {"kafka": "127.0.0.1:1"}
    with (tmp_path / "log").open("wb") as log:

        def start() -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                [sys.executable, "-m", "pipeline.cli.main", "ingest"],
                env=environment_without_settings(settings),
                stdout=log,
                stderr=log,
            )
            until = time.monotonic() + 30
            while time.monotonic() < until and process.poll() is None:
                try:
                    httpx.get(f"http://127.0.0.1:{port}/healthz")
                    break
                except httpx.HTTPError:
                    time.sleep(0.1)
            return process

        first = start()
        for _ in range(10):  # the loop may run before the timer does: then it did not hang
            os.kill(first.pid, signal.SIGSTOP)
            time.sleep(2.0)  # as long as it is to be stopped
            os.kill(first.pid, signal.SIGCONT)
            with suppress(subprocess.TimeoutExpired):
                first.wait(4)
                break
        first.kill()
        assert first.wait(20) == 1
        second = start()
        metrics = httpx.get(f"http://127.0.0.1:{port}/metrics").text
        second.terminate()
        second.wait(20)
    (value,) = re.findall(r"^twoway_process_hung_time_seconds (\S+)$", metrics, re.MULTILINE)
    assert time.time() - 60 < float(value) <= time.time()
    assert "Timeout" in (tmp_path / "log").read_text()
