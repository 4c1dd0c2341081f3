"""A checkpoint on disk: which one a worker continues from, and which one it rebuilds, and why."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.engine.state.checkpoint import Checkpoints, may_lack_tombstones, why_unusable
from pipeline.engine.state.rows import Reached
from pipeline.engine.state.state import Point, State

if TYPE_CHECKING:
    from pathlib import Path

HOUR_MS = 3_600_000
IDENTITY = "1;changelog/topic-id/3;one"

LEAVE_A_ROW = """
import os, sys
from pathlib import Path
from pipeline.engine.state.checkpoint import Checkpoints
from pipeline.engine.state.state import Point, State
from pipeline.engine.state.rows import Reached
rows = Checkpoints(Path(sys.argv[1])).open(3, identity=sys.argv[2])
state = State(["one"], rows)
for number in range(1, 1001):
    state.tables["one"].put(b"%d" % number, b"x" * 100)
    state.tables["one"].put(b"last", b"%d" % number)
    state.apply(Point(number), reached=Reached(number * 3, number))
    print(number, flush=True)
"""


def left_by_a_killed_process(folder: Path, at: int) -> None:
    """Write rows, one unit after another, in a process that is killed meanwhile."""
    argv = [sys.executable, "-c", LEAVE_A_ROW, str(folder), IDENTITY]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) == at:
                process.kill()
                break


@pytest.mark.parametrize("at", [1, 2, 50, 333])
def test_a_killed_process_leaves_whole_units_of_work(tmp_path, at):
    left_by_a_killed_process(tmp_path, at)
    checkpoints = Checkpoints(tmp_path)
    rows = checkpoints.open(3, identity=IDENTITY)
    state = State(["one"], rows)
    sequence = state.point.sequence
    assert sequence >= at
    assert rows.reached == Reached(sequence * 3, sequence)
    assert state.tables["one"].get(b"last") == b"%d" % sequence
    assert state.sizes() == {"one": sequence + 1}
    assert state.tables["one"].get(b"%d" % (sequence + 1)) is None
    rows.close()
    checkpoints.close()


def test_a_process_finds_what_it_left_and_no_other_uses_it_meanwhile(tmp_path):
    first, second = Checkpoints(tmp_path), Checkpoints(tmp_path)
    assert first.folder != second.folder
    first.close()
    again = Checkpoints(tmp_path)
    assert again.folder == first.folder
    again.close()
    second.close()


def torn(folder: Path) -> None:
    for file in [*folder.glob("MANIFEST*"), *folder.glob("*.log")]:
        file.write_bytes(file.read_bytes()[:10] + b"torn")


def no_database(folder: Path) -> None:
    (folder / "CURRENT").write_text("nothing")


def untouched(_folder: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("spoil", "identity", "reason"),
    [
        pytest.param(torn, IDENTITY, "it is torn", id="torn"),
        pytest.param(no_database, IDENTITY, "it is torn", id="not-a-database"),
        pytest.param(untouched, "1;changelog/other/3;one", "it is of '1;", id="topic-made-anew"),
        pytest.param(untouched, "1;changelog/topic-id/3;one,two", "it is of", id="other-tables"),
    ],
)
def test_a_checkpoint_that_cannot_be_used_is_said_and_built_anew(
    tmp_path, caplog, spoil, identity, reason
):
    checkpoints = Checkpoints(tmp_path)
    rows = checkpoints.open(3, identity=IDENTITY)
    state = State(["one"], rows)
    state.tables["one"].put(b"a", b"1")
    state.apply(Point(7), reached=Reached(9, 1))
    rows.close()
    spoil(checkpoints.folder / "3")
    rows = checkpoints.open(3, identity=identity)
    assert State(["one"], rows).sizes() == {"one": 0}
    assert rows.reached == Reached()
    assert rows.point is None
    assert [message for message in caplog.messages if reason in message]
    rows.close()
    checkpoints.close()


def test_another_format_is_built_anew(tmp_path, caplog, monkeypatch):
    checkpoints = Checkpoints(tmp_path)
    with monkeypatch.context() as older:
        older.setattr("pipeline.engine.state.disk.FORMAT", 0)
        rows = checkpoints.open(3, identity=IDENTITY)
        State(["one"], rows).apply(Point(1))
        rows.close()
    rows = checkpoints.open(3, identity=IDENTITY)
    assert rows.point is None
    assert "it has format 0" in caplog.text
    rows.close()
    checkpoints.close()


@pytest.mark.parametrize(
    ("offset", "beginning", "end", "reason"),
    [
        pytest.param(0, 0, 0, "", id="nothing-yet"),
        pytest.param(0, 5, 9, "", id="empty-checkpoint-of-a-log-cut-short"),
        pytest.param(5, 5, 9, "", id="at-the-beginning"),
        pytest.param(9, 5, 9, "", id="at-the-end"),
        pytest.param(10, 5, 9, "ends at 9", id="newer-than-the-changelog"),
        pytest.param(4, 5, 9, "begins at 5", id="older-than-what-is-left"),
    ],
)
def test_a_checkpoint_must_be_a_prefix_of_the_changelog(offset, beginning, end, reason):
    told = why_unusable(offset=offset, beginning=beginning, end=end)
    assert reason in told
    assert bool(told) == bool(reason)


@pytest.mark.parametrize(
    ("age_hours", "lacks"),
    [(0, False), (21, False), (22, True), (1000, True), (-1, False), (-3, True)],
)
def test_deletions_may_be_gone_when_a_checkpoint_is_older_than_they_are_kept(age_hours, lacks):
    now = 1_000 * HOUR_MS + HOUR_MS
    at = now - age_hours * HOUR_MS
    assert may_lack_tombstones(at_ms=at, now_ms=now, kept_ms=24 * HOUR_MS) is lacks
