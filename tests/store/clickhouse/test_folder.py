"""One process for each folder; a second process is told which process has it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pipeline.home.lock import FolderTaken
from pipeline.process.stop import EXIT_FAILED
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.clickhouse.folder import Folder
from tests.support.migrated import migrated
from tests.support.running import run_cli

if TYPE_CHECKING:
    from pathlib import Path


def test_a_second_store_ends_and_says_whose_the_folder_is(tmp_path: Path) -> None:
    with Database(Settings(home=migrated(tmp_path))):
        second = run_cli("store", home=tmp_path, settings={"kafka": "127.0.0.1:1"}, check=False)
    words = f"{tmp_path / 'clickhouse'} is in use by process {os.getpid()};"
    assert words in second.stderr
    assert "Traceback" not in second.stderr
    assert second.returncode == EXIT_FAILED
    assert any(words in each.read_text() for each in (tmp_path / "troubles").iterdir())


def test_the_folder_is_free_again_after_its_owner(tmp_path: Path) -> None:
    with Folder(tmp_path / "x"), pytest.raises(FolderTaken):
        Folder(tmp_path / "x")
    Folder(tmp_path / "x").unlock()


def test_only_the_owner_of_the_home_can_look_in(tmp_path: Path) -> None:
    with Database(Settings(home=tmp_path)):
        for folder in ("clickhouse", "clickhouse.inserts"):
            assert (tmp_path / folder).stat().st_mode & 0o077 == 0
        (tmp_path / "clickhouse.inserts" / "left.native").write_bytes(b"a killed process left this")
    with Database(Settings(home=tmp_path)):
        assert list((tmp_path / "clickhouse.inserts").iterdir()) == []
