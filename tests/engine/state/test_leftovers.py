"""Databases that nobody continues from are deleted; databases in use or of others are not."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from pipeline.engine.state.checkpoint import Checkpoints

if TYPE_CHECKING:
    from pathlib import Path

HOUR = 3_600
KEPT_MS = 24 * HOUR * 1000


def database(folder: Path, *, hours: float) -> Path:
    """The folder of a partition whose newest file has this age."""
    folder.mkdir(parents=True)
    for number, extra in enumerate((0, 100)):
        file = folder / f"{number}.sst"
        file.write_bytes(b"x")
        at = time.time() - (hours + extra) * HOUR
        os.utime(file, (at, at))
    return folder


@pytest.mark.parametrize(
    ("hours", "in_use", "stays"),
    [(23, (), True), (25, (), False), (25, (3,), True), (25, (2,), False)],
    ids=["young", "old", "old-and-in-use", "another-in-use"],
)
def test_what_this_process_left(tmp_path, hours, in_use, stays):
    checkpoints = Checkpoints(tmp_path)
    left = database(tmp_path / "0" / "3", hours=hours)
    checkpoints.sweep(in_use=in_use, kept_ms=KEPT_MS)
    assert left.exists() == stays
    checkpoints.close()


@pytest.mark.parametrize("runs", [True, False])
def test_what_another_process_left(tmp_path, runs):
    ours, other = Checkpoints(tmp_path), Checkpoints(tmp_path)
    old = database(other.folder / "3", hours=25)
    young = database(other.folder / "4", hours=1)
    if not runs:
        other.close()
    ours.sweep(in_use=(3,), kept_ms=KEPT_MS)
    assert (old.exists(), young.exists()) == (runs, True)
    ours.close()
    other.close()


def test_a_folder_that_no_process_ever_held_is_left_alone(tmp_path):
    ours = Checkpoints(tmp_path)
    strange = database(tmp_path / "notes" / "3", hours=1_000)
    ours.sweep(in_use=(), kept_ms=KEPT_MS)
    assert strange.exists()
    ours.close()
