"""Workers that start with the same settings: each keeps a name and a home of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from pipeline.home import places
from pipeline.home.places import with_place
from pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pytest

TAKER = """
import sys
from pathlib import Path
from pipeline.home.places import with_place
from pipeline.settings import Settings
settings = with_place(Settings(instances=sys.argv[1]), sys.argv[2])
print(settings.home.name, settings.instance, flush=True)
sys.stdin.read()
"""


@contextmanager
def taker(folder: Path, process: str = "worker") -> Iterator[tuple[str, str]]:
    """A process that takes a place until the end of the block: its home and its name."""
    words = [sys.executable, "-X", "twoway=python", "-c", TAKER, str(folder), process]
    started = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert started.stdout is not None
    home, name = started.stdout.readline().split()
    try:
        yield home, name
    finally:
        started.kill()
        started.communicate()


def test_each_takes_a_place_and_a_killed_one_leaves_its_place(tmp_path: Path) -> None:
    with taker(tmp_path) as first:
        with taker(tmp_path) as second, taker(tmp_path, "deliver") as other:
            assert [home for home, _ in (first, second, other)] == [
                "worker-1",
                "worker-2",
                "deliver-1",
            ]
            assert len({name for _, name in (first, second, other)}) == 3
        with taker(tmp_path) as again:
            assert again == second


def test_workers_of_two_machines_have_other_names(tmp_path: Path) -> None:
    with taker(tmp_path / "a") as one, taker(tmp_path / "b") as other:
        assert one[0] == other[0]
        assert one[1] != other[1]
        assert all(re.fullmatch(r"worker-1-[0-9a-f]{6}", name) for _, name in (one, other))


def test_a_name_that_is_set_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[IO[str]] = []
    monkeypatch.setattr(places, "_held", held)
    given = with_place(Settings(instances=str(tmp_path), instance="mine"), "worker")
    assert (given.home.name, given.instance) == ("worker-1", "mine")
    (file,) = held
    file.close()


def test_without_the_setting_nothing_changes() -> None:
    assert with_place(Settings(), "worker") == Settings()
