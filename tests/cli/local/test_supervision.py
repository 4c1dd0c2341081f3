"""A supervisor with small programs: order, restarts with back-off, and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.local import supervision
from pipeline.cli.local.children import Program
from pipeline.cli.local.supervision import (
    SupervisionError,
    Supervisor,
    ending_in_words,
    keep_previous,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Says it is ready by a file, notes when it is told to end, and ends.
OBEDIENT = """
import pathlib, signal, sys
folder, name = pathlib.Path(sys.argv[1]), sys.argv[2]
def end(*_):
    with (folder / "ends").open("a") as ends:
        ends.write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
(folder / name).touch()
while True:
    signal.pause()
"""
DEAF = "import pathlib, signal, sys; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
DEAF += "pathlib.Path(sys.argv[1], sys.argv[2]).touch()\nwhile True: signal.pause()"
DYING = "import sys; print('wrongly set up'); sys.exit(3)"


class Stage:
    """A folder for the programs, and what their supervisor printed and announced."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said: list[str] = []
        self.announced: list[dict[str, int]] = []
        self.changes = 0
        self.has_room = True
        self.written: list[bool] = []
        self.stop = threading.Event()

    def program(self, name: str, *, script: str = OBEDIENT, needs: tuple[str, ...] = ()) -> Program:
        mark = self.folder / name

        def command() -> list[str]:
            mark.unlink(missing_ok=True)
            return [sys.executable, "-c", script, str(self.folder), name]

        return Program(
            name=name,
            command=command,
            environment=dict(os.environ),
            log=self.folder / f"{name}.log",
            is_ready=mark.exists,
            needs=needs,
        )

    def supervisor(self, *programs: Program, ends: tuple[str, ...] = ()) -> Supervisor:
        def changed() -> bool:
            self.changes += 1
            self.written.append(self.has_room)
            return self.written[-1]

        def all_ready() -> bool:
            self.announced.append(supervisor.pids)
            return self.has_room

        supervisor = Supervisor(
            programs=programs,
            ends=ends or tuple(program.name for program in programs),
            stop=self.stop,
            say=self.said.append,
            changed=changed,
            all_ready=all_ready,
        )
        return supervisor

    @contextmanager
    def playing(self, supervisor: Supervisor) -> Iterator[None]:
        """The supervisor runs beside the test; at the end it is ended and its error is raised."""
        errors: list[Exception] = []

        def work() -> None:
            try:
                supervisor.run()
            except SupervisionError as error:
                errors.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            self.stop.set()
            thread.join()
            supervisor.end()
        if errors:
            raise errors[0]

    def wait(self, what: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not what():
            assert time.monotonic() < deadline, self.said
            time.sleep(0.01)


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


def test_all_are_announced_once_when_each_is_ready(stage: Stage) -> None:
    supervisor = stage.supervisor(
        stage.program("broker"), stage.program("taker", needs=("broker",))
    )
    with stage.playing(supervisor):
        stage.wait(lambda: bool(stage.announced))
    assert [sorted(pids) for pids in stage.announced] == [["broker", "taker"]]
    assert [line.split(" is ready")[0] for line in stage.said[:2]] == ["broker", "taker"]


def test_what_found_no_room_is_written_down_once_there_is_some(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "AGAIN_SECONDS", 0.0)
    stage.has_room = False
    with stage.playing(stage.supervisor(stage.program("broker"))):
        stage.wait(lambda: bool(stage.announced) and stage.changes > 3)
        stage.has_room = True
        stage.wait(lambda: stage.written[-1])
        time.sleep(5 * supervision.TICK_SECONDS)  # and not again
    assert stage.written.count(True) == 1


def test_a_program_waits_for_what_it_needs(stage: Stage) -> None:
    never = stage.program("broker", script="import signal; signal.pause()")
    supervisor = stage.supervisor(never, stage.program("taker", needs=("broker",)))
    with stage.playing(supervisor):
        stage.wait(lambda: "broker" in supervisor.pids)
        assert "taker" not in supervisor.pids
    assert stage.announced == []


def test_one_that_is_killed_is_said_and_started_again(stage: Stage) -> None:
    supervisor = stage.supervisor(stage.program("taker"))
    with stage.playing(supervisor):
        stage.wait(lambda: bool(stage.announced))
        killed = supervisor.pids["taker"]
        os.kill(killed, signal.SIGKILL)
        stage.wait(lambda: supervisor.pids["taker"] != killed)
        stage.wait(lambda: supervisor.children["taker"].ready)
    assert f"taker (pid {killed}) was killed by SIGKILL after" in stage.said[1]
    assert "starting it again in" in stage.said[1]
    assert len(stage.announced) == 1
    assert stage.changes == 2


def test_one_that_never_becomes_ready_ends_it_all_with_the_end_of_its_log(stage: Stage) -> None:
    supervisor = stage.supervisor(stage.program("taker"), stage.program("store", script=DYING))
    with (
        pytest.raises(
            SupervisionError, match=r"exit status 3 .* 3 times in a row; giving up"
        ) as raised,
        stage.playing(supervisor),
    ):
        stage.wait(lambda: supervisor.children["store"].deaths == supervision.DEATHS_AT_FIRST)
    assert "    wrongly set up" in str(raised.value)
    assert (stage.folder / "ends").read_text() == "taker\n"


def test_a_death_while_what_it_needs_is_down_is_not_counted(stage: Stage) -> None:
    supervisor = stage.supervisor(
        stage.program("broker"), stage.program("taker", needs=("broker",))
    )
    with stage.playing(supervisor):
        stage.wait(lambda: bool(stage.announced))
        broker, taker = supervisor.children["broker"], supervisor.children["taker"]
        broker.start_at = float("inf")
        pids = dict(supervisor.pids)
        os.kill(pids["broker"], signal.SIGKILL)
        stage.wait(lambda: not broker.ready)
        os.kill(pids["taker"], signal.SIGKILL)
        stage.wait(lambda: not taker.runs)
        assert taker.deaths == 0
        stage.wait(lambda: taker.ready)
        assert broker.started_at < taker.started_at


@pytest.mark.parametrize("by", ["its-status", "the-disk"])
def test_one_without_room_is_started_again_until_there_is_room(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr(supervision, "BACKOFF_SECONDS", (0.01, 0.02))
    full = stage.folder / "full"
    full.touch()
    status = 74 if by == "its-status" else 1
    script = "import pathlib, sys\n"
    script += f"if pathlib.Path(sys.argv[1], 'full').exists(): sys.exit({status})\n"
    supervisor = stage.supervisor(stage.program("taker", script=script + OBEDIENT))
    if by == "the-disk":
        supervisor.no_room = lambda: "the disk is full" if full.exists() else ""
    taker = supervisor.children["taker"]
    with stage.playing(supervisor):
        stage.wait(lambda: taker.without_room > supervision.DEATHS_IN_A_ROW)
        assert taker.deaths == 0
        full.unlink()
        stage.wait(lambda: taker.ready)
    assert (taker.deaths, taker.without_room) == (0, 0)
    words = "the disk is full" if by == "the-disk" else "there is no room on its disk"
    assert f"({words}); starting it again in" in stage.said[0]


def test_they_end_in_the_order_given(stage: Stage) -> None:
    programs = [stage.program(name) for name in ("broker", "taker", "store")]
    supervisor = stage.supervisor(*programs, ends=("taker", "store", "broker"))
    with stage.playing(supervisor):
        stage.wait(lambda: bool(stage.announced))
    assert (stage.folder / "ends").read_text().split() == ["taker", "store", "broker"]
    assert stage.said[-3:] == ["taker stopped", "store stopped", "broker stopped"]


def test_one_that_does_not_listen_is_killed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "END_SECONDS", 1.5)
    supervisor = stage.supervisor(stage.program("taker", script=DEAF), stage.program("broker"))
    with stage.playing(supervisor):
        stage.wait(lambda: bool(stage.announced))
    assert stage.said[-2:] == ["taker was killed by SIGKILL", "broker stopped"]


def test_those_that_need_nobody_are_told_to_end_before_the_first_is_waited_for(
    stage: Stage,
) -> None:
    """The deaf one takes its whole share; the other has ended meanwhile, and is said after it."""
    supervisor = stage.supervisor(
        stage.program("deaf", script=DEAF), stage.program("outer"), stage.program("broker")
    )
    supervisor.told_at_once = ("deaf", "outer")
    with stage.playing(supervisor):
        stage.wait(lambda: bool(stage.announced))
        thread = threading.Thread(target=supervisor.end)
        stage.stop.set()
        thread.start()
        ends = stage.folder / "ends"
        stage.wait(lambda: ends.exists() and ends.read_text() == "outer\n")
        assert supervisor.children["deaf"].process is not None
        assert supervisor.children["deaf"].process.poll() is None
        thread.join()
    assert stage.said[-3:] == ["deaf was killed by SIGKILL", "outer stopped", "broker stopped"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0, "ended with exit status 0"),
        (3, "ended with exit status 3"),
        (-9, "was killed by SIGKILL"),
    ],
)
def test_an_ending_is_said_in_words(status: int, words: str) -> None:
    assert ending_in_words(status) == words


def test_the_log_of_before_is_kept_once(tmp_path: Path) -> None:
    log = tmp_path / "taker.log"
    keep_previous(log)
    for run in ("first", "second", "third"):
        log.write_text(run)
        keep_previous(log)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["taker.log.1"]
    assert (tmp_path / "taker.log.1").read_text() == "third"
