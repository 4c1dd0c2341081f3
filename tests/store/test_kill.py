"""kill -9 of the store on the real engine: between insert and commit, and at every other await."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

from pipeline.kafka import topics
from tests.store.sink.logs import expected, log_of
from tests.support.migrated import migrated

SCRIPT = Path(__file__).with_name("killed_store.py")
SEED = 11


def run_store(home: Path, *burn_at: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(home), str(SEED), *map(str, burn_at)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_store_killed_at_each_step_of_a_block_stores_each_event_once(tmp_path: Path) -> None:
    migrated(tmp_path)
    # A block is six steps: before and after its bounds' commit, its insert, its commit.
    for burn_at in (3, 4, 5, 6, 10, 15, 22):
        killed = run_store(tmp_path, burn_at)
        assert killed.returncode == -signal.SIGKILL, killed.stderr
    done = run_store(tmp_path)
    assert done.returncode == 0, done.stderr
    found = {
        table: [tuple(place) for place in places]
        for table, places in map(json.loads, done.stdout.splitlines())
    }
    log = log_of(seed=SEED)
    for topic, name in ((topics.MO_RAW, "mo_raw"), (topics.MO_MESSAGE, "mo_message")):
        assert found[f"{name}_rows"] == found[name] == expected(log, topic)
