"""The real engine, embedded, one at a time: a process can open only one data folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from tests.support.migrated import migrated

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A migrated database in a folder of its own."""
    with Database(Settings(home=migrated(tmp_path_factory.mktemp("home")))) as opened:
        yield opened
