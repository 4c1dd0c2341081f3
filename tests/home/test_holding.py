"""One supervisor for a home; processes that a killed supervisor left are ended, and no others."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.home.holding import (
    CHILDREN_NAME,
    HomeHeld,
    command_of,
    end_leftovers,
    hold,
    is_held,
    write_atomically,
    write_children,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLEEPER = [sys.executable, "-c", "import signal; print('runs', flush=True); signal.pause()"]
HOLDER = """
import sys
from pathlib import Path
from pipeline.home.holding import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(SLEEPER, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        # For an instant after it was started a process has no command line yet.
        assert process.stdout.readline() == b"runs\n"
        yield process
        process.kill()


def test_a_second_one_is_told_who_holds_the_home_and_since_when(twoway_home: Path) -> None:
    argv = [sys.executable, "-c", HOLDER, str(twoway_home)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert is_held(twoway_home)
        said = rf"is held by `twoway up`, pid {holder.pid}, since 20\d\d-\d\d-\d\dT"
        with pytest.raises(HomeHeld, match=said), hold(twoway_home):
            pass
        holder.kill()
    assert not is_held(twoway_home)
    with hold(twoway_home):
        assert is_held(twoway_home)


def test_nobody_holds_a_home_that_is_not_there(twoway_home: Path) -> None:
    assert not is_held(twoway_home)


def test_a_home_is_the_users_alone(twoway_home: Path) -> None:
    with hold(twoway_home):
        assert twoway_home.stat().st_mode & 0o077 == 0


def test_what_a_killed_one_left_running_is_ended_and_said(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    write_children(tmp_path, {"worker": (sleeper.pid, SLEEPER)})
    said: list[str] = []
    # A child of ours stays a zombie, without a command line, until it is waited for.
    end_leftovers(tmp_path, say=said.append)
    assert said == [f"ending worker, pid {sleeper.pid}, which a killed `twoway up` left running"]
    assert sleeper.wait() == -signal.SIGKILL
    assert not (tmp_path / CHILDREN_NAME).exists()


def test_a_process_of_another_command_with_that_id_is_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    write_children(tmp_path, {"worker": (sleeper.pid, ["java", "-cp", "kafka"])})
    end_leftovers(tmp_path, say=pytest.fail)
    assert sleeper.poll() is None


def test_nothing_left_running_is_nothing_to_say(tmp_path: Path) -> None:
    end_leftovers(tmp_path, say=pytest.fail)


def test_a_command_line_is_known_while_its_process_runs(sleeper: subprocess.Popen[bytes]) -> None:
    assert command_of(os.getpid()) is not None
    assert command_of(sleeper.pid) == " ".join(SLEEPER)
    sleeper.kill()
    sleeper.wait()
    assert command_of(sleeper.pid) is None


def test_a_file_is_put_in_place_whole_and_leaves_no_draft(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "ready.json"
    for pids in ({"worker": 1}, {"worker": 22}):
        write_atomically(file, json.dumps(pids))
        assert json.loads(file.read_text()) == pids
    assert [each.name for each in file.parent.iterdir()] == ["ready.json"]
