"""What `up` prints: a full disk that its output is on does not end it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")  # every write there fails for lack of room (full(4))
SAYS = """
import sys
from pipeline.cli.local.saying import say
say("the first")
say("the second")
sys.stderr.write("goes on")
sys.stderr.flush()
"""


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full: only Linux has it")
def test_an_output_on_a_full_disk_ends_nothing() -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", SAYS],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.stderr.startswith("goes on"), done.stderr


def test_a_line_has_the_time_of_day() -> None:
    done = subprocess.run([sys.executable, "-c", SAYS], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert (first[8:], second[8:]) == (" the first", " the second")
    assert first[2] == first[5] == ":"
