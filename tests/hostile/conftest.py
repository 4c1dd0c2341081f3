"""No log of a process that the hostile tests started holds what the tests sent."""

from __future__ import annotations

import importlib
import warnings
from typing import TYPE_CHECKING

import pytest

from tests.hostile.lies import SECRET, TEXT
from tests.support.log_search import Search, logs_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

with warnings.catch_warnings():  # pyftpdlib stands on modules that Python 3.11 deprecates
    warnings.filterwarnings("ignore", "The asyn(chat|core) module is deprecated")
    importlib.import_module("pyftpdlib.handlers")


def found_under(folder: Path) -> list[str]:
    """What was found, and where, in the logs of a test's folder and of the homes in it."""
    search = Search(texts=[TEXT], secrets=[SECRET])
    homes = [folder, *(it for it in folder.glob("*/") if it.is_dir())]
    return [
        f"{log}: {words}" for home in homes for log in logs_of(home) for words in search.of([log])
    ]


@pytest.fixture(autouse=True)
def _logs_have_nothing_that_was_sent(request: pytest.FixtureRequest) -> Iterator[None]:
    folder = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    found = found_under(folder) if folder else []
    assert not found, found[:20]
