"""`twoway up` as a whole: what it prints, restarts, ends, and keeps."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from typing import TYPE_CHECKING

import pytest

from pipeline.home.holding import command_of
from pipeline.home.stack import find_stack
from tests.support.running import run_cli

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.running import RunningStack

pytestmark = pytest.mark.broker

PROCESSES = {"kafka", "ingest", "worker", "store"}


def wait(what: Callable[[], bool], words: Callable[[], str]) -> None:
    deadline = time.monotonic() + 120
    while not what():
        assert time.monotonic() < deadline, words()
        time.sleep(0.05)


def accepts(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        return False
    return True


@pytest.mark.timeout(600)
def test_a_stack_is_told_restarted_outlived_and_ended(
    stack_factory: Callable[..., RunningStack],
) -> None:
    running = stack_factory({"partitions": "4"})
    running.start()

    # The ready file is whole, and says where everything is.
    told = json.loads(running.ready_file.read_text())
    assert set(told) == {"kafka", "ingest", "report", "pids"}
    assert set(told["pids"]) == PROCESSES
    assert all(command_of(pid) for pid in told["pids"].values())
    assert accepts(told["kafka"])
    assert all(accepts(told[name].removeprefix("http://")) for name in ("ingest", "report"))

    # A second `up` on this home is told who holds it.
    assert running.process is not None
    second = run_cli("up", home=running.home, check=False)
    assert second.returncode == 1
    assert f"is held by `twoway up`, pid {running.process.pid}, since 20" in second.stderr

    # One that is killed comes back, and the files say so.
    for name in ("worker", "ingest", "store", "kafka"):
        killed = running.stack.pids[name]
        os.kill(killed, signal.SIGKILL)
        again = f" {name} is ready after"
        wait(lambda: running.log.read_text().count(again) == 2, running.said)  # noqa: B023 - at once
        assert running.stack.pids[name] != killed
        assert f"{name} (pid {killed}) was killed by SIGKILL after" in running.log.read_text()
    assert running.stack.kafka == told["kafka"]
    assert json.loads(running.ready_file.read_text())["pids"] == running.stack.pids

    # `up` that is killed takes its processes with it, and the home is free for the next.
    pids = running.stack.pids
    running.kill()
    wait(lambda: not any(command_of(pid) for pid in pids.values()), running.said)
    assert find_stack(running.home) is None
    running.start()
    pids = running.stack.pids

    # Ctrl-C ends all, in order, within ten seconds.
    before = len(running.log.read_text())
    assert running.stop() == 0
    said = running.log.read_text()[before:]
    ended = [line.split()[1] for line in said.splitlines() if line.endswith(" stopped")]
    assert ended == ["ingest", "worker", "store", "kafka"], said
    assert find_stack(running.home) is None
    assert not any(command_of(pid) for pid in pids.values())
