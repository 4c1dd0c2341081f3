"""Workers that start with the same settings: each keeps a name and a home of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

import pytest

from pipeline.home import places
from pipeline.home.places import with_place
from pipeline.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TAKER = """
import sys
from pathlib import Path
from pipeline.home.places import with_place
from pipeline.settings import Settings
settings = with_place(Settings(instances=sys.argv[1]), sys.argv[2])
print(settings.home.name, settings.instance, flush=True)
sys.stdin.read()
"""
#: A process that ends where it would begin to work, and says where its home is.
STARTER = """
import importlib, sys
from pathlib import Path
from pipeline.settings import Settings
module = importlib.import_module(sys.argv[2])
setattr(module, sys.argv[3], lambda settings, *_: sys.exit(settings.home.name))
home = Path(sys.argv[1]) / "home"
module.run(Settings(instances=sys.argv[1], home=home, kafka="127.0.0.1:1"))
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


@pytest.mark.parametrize(
    ("process", "module", "made"),
    [
        ("worker", "pipeline.conversation.process", "create_app"),
        ("deliver", "pipeline.delivery.process", "create_delivery_app"),
        ("accounts", "pipeline.accounts.process", "create_accounts_app"),
    ],
)
def test_each_process_that_has_state_takes_a_place(
    process: str, module: str, made: str, tmp_path: Path
) -> None:
    words = [sys.executable, "-X", "twoway=python", "-c", STARTER, str(tmp_path), module, made]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.splitlines()[-1:] == [f"{process}-1"], done.stderr
