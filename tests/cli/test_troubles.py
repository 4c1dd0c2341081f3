"""What a process records for `twoway status` when it waits or ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from pipeline.cli.operate.pipeline_state import PipelineState
from pipeline.cli.operate.state_lines import lines_of_state
from pipeline.process import troubles


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(troubles._Here, "folder", None)
    monkeypatch.setattr(troubles._Here, "name", "")
    return tmp_path


def test_nothing_is_told_by_a_home_without_trouble(home):
    assert list(troubles.waiting(home)) == []
    assert list(troubles.ended(home, now=0.0)) == []


def test_a_process_that_waits_says_why_until_it_does_not(home):
    troubles.tell_in(home, "worker")
    troubles.tell_waits({"partition 3": "rows are lost"})
    assert list(troubles.waiting(home)) == [
        ("worker", "partition 3 waits for an operator: rows are lost")
    ]
    troubles.tell_waits({})
    assert list(troubles.waiting(home)) == []


def test_a_process_that_is_gone_waits_no_more(home):
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    folder = home / troubles.FOLDER
    folder.mkdir()
    told = json.dumps({"name": "worker", "waits": {"partition 0": "x"}})
    (folder / f"waits-{int(ended.stdout)}.json").write_text(told)
    assert list(troubles.waiting(home)) == []
    (folder / f"waits-{os.getpid()}.json").write_text(told)
    assert len(list(troubles.waiting(home))) == 1


def test_how_often_a_process_ended_lately_and_its_last_words(home, monkeypatch):
    troubles.tell_in(home, "worker")
    for at, words in [(100.0, "long ago"), (900.0, "first"), (1000.0, "last")]:
        monkeypatch.setattr(troubles.time, "time", lambda at=at: at)
        troubles.tell_end(words)
    assert list(troubles.ended(home, now=1100.0)) == [
        ("worker", "ended 2 times in the last 10 minutes, the last: last")
    ]


def test_the_file_of_last_words_does_not_grow_for_ever(home):
    troubles.tell_in(home, "worker")
    for _ in range(400):
        troubles.tell_end("w" * 1_000)
    sizes = [file.stat().st_size for file in (home / troubles.FOLDER).iterdir()]
    assert sum(sizes) < 3 * troubles.MOST_ENDS_OCTETS


def test_status_says_it(home):
    from datetime import UTC, datetime

    state = PipelineState(
        time=datetime.now(UTC),
        down={},
        partitions=None,
        last_mo=None,
        dead_letters=None,
        troubles=[{"process": "worker", "words": "partition 3 waits"}],
    )
    assert "TROUBLE        worker: partition 3 waits" in list(lines_of_state(state))
