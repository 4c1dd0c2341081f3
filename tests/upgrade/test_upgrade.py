"""A short upgrade from the last commit to this checkout, old and new workers side by side."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.upgrade.releases import ROOT, NoHistory, unpack
from tests.upgrade.run import run_upgrade

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.broker,
    pytest.mark.timeout(420),
    pytest.mark.skipif(
        os.environ.get("STACK") == "docker", reason="what runs in containers is not swapped here"
    ),
]


def test_nothing_is_lost_or_doubled_while_each_process_is_swapped(tmp_path: Path) -> None:
    try:
        unpack("HEAD", tmp_path / "old")
    except NoHistory as error:
        pytest.skip(f"the old release is taken from git: {error}")
    said: list[str] = []
    done = run_upgrade(
        tmp_path / "run",
        old=tmp_path / "old",
        new=ROOT,
        messages=400,
        rate=20.0,
        pause=1.0,
        goes_back=False,
        say=said.append,
        workers=1,
    )

    words = "\n".join([*said, *done.findings.words])
    assert done.findings.are_none, words
    assert done.messages >= 400
    assert [line.partition(": done")[0] for line in said if ": done" in line] == [
        "topics",
        "store",
        "one more worker, new beside old",
        "worker-1",
        "ingest",
    ], words


def test_a_revision_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoHistory):
        unpack("no-such-revision", tmp_path)
