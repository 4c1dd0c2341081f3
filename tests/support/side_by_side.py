"""Tests side by side (pytest-xdist): which tests share a process, and which begin first.

All tests on one of the suite's stacks run in one process. So do all tests on the suite's broker,
and all that take turns on an emptied broker. The other tests of one file stay together. Long tests
begin first, so that no long test is left to the end. One process begins with the quick ones.

Stacks, brokers and browsers end with the last test on them: an idle stack takes a tenth of a
processor.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import ExitStack
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from xdist.scheduler import LoadScopeScheduling

from tests.support.migrated import share_first_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xdist.remote import Producer
    from xdist.workermanage import WorkerController

#: Session fixtures, and the names of their groups. The group that takes longest is the first.
SHARED: Final = ("stack", "kafka", "played", "equipped", "empty_kafka")
BROWSER: Final = "browser"  # a session fixture; each process has its own
FOLDER: Final = "twoway_folder"
_ENDS: Final = pytest.StashKey[list["Callable[[], None]"]]()
_FOLDER: Final = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


def shared_by(item: pytest.Item) -> str:
    """The fixture that the test shares with other tests; empty for none."""
    names = getattr(item, "fixturenames", ())
    return next((name for name in SHARED if name in names), "")


def turn_of(item: pytest.Item) -> int:
    """The place in the order: what takes longest in one process begins first, quick tests last."""
    if on := shared_by(item):
        return SHARED.index(on)
    later = len(SHARED)
    if item.get_closest_marker("chaos"):
        return later
    if item.get_closest_marker("broker"):
        return later + 1
    return later + 2 if _lasting(item) == BROWSER else later + 3


def _lasting(item: pytest.Item) -> str:
    """What the test has from earlier tests and leaves to later ones; empty for nothing."""
    with_browser = BROWSER in getattr(item, "fixturenames", ())
    return shared_by(item) or (BROWSER if with_browser else "")


def pytest_configure(config: pytest.Config) -> None:
    """Have the processes of a run share one migrated store."""
    share_first_in(_folder_of_run(config))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: WorkerController) -> None:
    """Tell each process, before it begins, the folder of this run."""
    node.workerinput[FOLDER] = str(_folder_of_run(node.config))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Sort the tests; a process of a parallel run also writes the group of each test."""
    items.sort(key=turn_of)
    if FOLDER in (given := getattr(config, "workerinput", {})):
        file = _groups_file(config)
        mine = file.with_suffix(f".{given['workerid']}")
        mine.write_text(json.dumps({item.nodeid: shared_by(item) for item in items}))
        mine.replace(file)  # every process leaves the same


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Iterator[None]:
    """Note how to end each fixture that lasts for several tests."""
    try:
        return (yield)
    finally:
        if fixturedef.argname in (*SHARED, BROWSER):
            ends = request.config.stash.setdefault(_ENDS, [])
            ends.append(partial(fixturedef.finish, request))  # type: ignore[arg-type]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """End what lasts for several tests when the next test in this process has no use for it.

    A fixture that a later test asks for is made anew.
    """
    try:
        return (yield)
    finally:
        name = _lasting(item)
        if name and (nextitem is None or _lasting(nextitem) != name):
            with ExitStack() as ends:  # the last that was made ends first
                for end in item.config.stash.setdefault(_ENDS, []):
                    ends.callback(end)
                item.config.stash[_ENDS].clear()


class ByFixtureOrFile(LoadScopeScheduling):
    """Gives all tests on a shared fixture to one process, and the others by file."""

    @cached_property
    def _groups(self) -> dict[str, str]:
        """The group of each test by name; read when all processes have collected."""
        groups: dict[str, str] = json.loads(_groups_file(self.config).read_text())
        return groups

    def _assign_work_unit(self, node: WorkerController) -> None:
        """Give the next group to a process; the last process takes them from the end.

        Tests of running processes wait half of the time. Quick tests need the processors then.
        """
        if len(self.nodes) > 2 and node is self.nodes[-1]:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def _split_scope(self, nodeid: str) -> str:
        return self._groups.get(nodeid) or nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFixtureOrFile | None:
    """Our scheduler for `--dist loadscope`; xdist's own for all else."""
    if config.getvalue("dist") != "loadscope":
        return None
    config.option.loadscopereorder = False  # in the order of the sorted tests
    return ByFixtureOrFile(config, log)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the folder of this run, where it was made."""
    if folder := config.stash.get(_FOLDER, None):
        folder.cleanup()


def _groups_file(config: pytest.Config) -> Path:
    return _folder_of_run(config) / "groups.json"


def _folder_of_run(config: pytest.Config) -> Path:
    """A folder that the processes of this run share. It is made by the first, which ends last."""
    given: dict[str, str] = getattr(config, "workerinput", {})
    if FOLDER in given:
        return Path(given[FOLDER])
    if _FOLDER not in config.stash:
        config.stash[_FOLDER] = tempfile.TemporaryDirectory(prefix="twoway-run-")
    return Path(config.stash[_FOLDER].name)
