"""The embedded engine opens no file but the store's own, whatever statement reaches it."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from pipeline.process import landlock
from pipeline.settings import Settings
from pipeline.store.clickhouse.database import FOLDER_NAME
from pipeline.store.confinement import Confinement
from pipeline.suppression_key import key_file, make_key
from tests.support.migrated import migrated
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from pathlib import Path

needs_landlock = pytest.mark.skipif(not landlock.is_known(), reason="the kernel has no Landlock")


class Asked:
    """The answer of a store's engine for each path, by the question."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.home = migrated(folder / "home")
        (self.home / "settings.toml").write_text("tokens = 'a-secret'\n")
        self.key_file = key_file(Settings(home=self.home))
        self.key = make_key(self.key_file)
        (folder / "secrets.env").write_text("a-secret")
        self.paths = [
            "/etc/passwd",
            "/etc/shadow",
            "/proc/self/environ",
            f"/proc/{os.getpid()}/environ",
            str(self.key_file),
            str(self.home / "settings.toml"),
            str(folder / "secrets.env"),
            str(self.home / FOLDER_NAME / ".." / "settings.toml"),
        ]
        places = (str(self.home), str(self.key_file), *self.paths)
        ran = subprocess.run(
            [sys.executable, "-m", "tests.hostile.confined_store", kind, *places],
            env=environment_without_settings(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr[-2000:]
        self.answers = [tuple(json.loads(line)) for line in ran.stdout.splitlines()]


@pytest.fixture(scope="module")
def confined(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    return Asked(tmp_path_factory.mktemp("confined"), "confined")


@needs_landlock
def test_the_engine_reads_and_writes_nothing_outside(confined: Asked) -> None:
    for path, asked, said in confined.answers[1:]:
        assert "Permission denied" in said, (path, asked, said)
    assert len(confined.answers) == 1 + 2 * len(confined.paths) + 1
    assert not confined.home.with_name("written").exists()


@needs_landlock
def test_the_store_itself_still_gets_the_key(confined: Asked) -> None:
    assert confined.answers[0] == ("key", "", confined.key.fingerprint.hex())


def test_an_engine_that_is_not_confined_would_be_seen(tmp_path: Path) -> None:
    asked = Asked(tmp_path, "open")
    read = {path for path, _, said in asked.answers if said.isdigit() and int(said)}
    assert {"/etc/passwd", str(asked.key_file)} <= read
    assert asked.home.with_name("written").exists()


def test_a_kernel_without_landlock_is_told_of_and_the_store_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(landlock, "_version", lambda: -1)
    monkeypatch.setenv("TMPDIR", "")
    with caplog.at_level(logging.WARNING), Confinement(tmp_path / "home") as confinement:
        assert confinement.read_key(tmp_path / "none") is None
    assert [record.message for record in caplog.records if "no Landlock" in record.message]
