"""One process for each folder; a second process is told which process has it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.home.lock import FolderTaken
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.store.clickhouse.folder import Folder

SECOND = """\
import sys
from pathlib import Path
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import Database
from pipeline.home.lock import FolderTaken
try:
    Database(Settings(home=Path(sys.argv[1])))
except FolderTaken as error:
    print(error)
"""


def test_a_second_process_is_told_the_owner(tmp_path: Path) -> None:
    with Database(Settings(home=tmp_path)):
        second = subprocess.run(
            [sys.executable, "-c", SECOND, str(tmp_path)],
            capture_output=True,
            text=True,
            check=True,
            cwd=Path(__file__).resolve().parents[3],
        )
    assert f"{tmp_path / 'clickhouse'} is in use by process {os.getpid()};" in second.stdout


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
