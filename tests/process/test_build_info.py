"""Which version and commit runs: of a checkout, of a work tree beside it, and of an image."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from pipeline.build_info import COMMIT_FILE, SHORT, UNKNOWN, built_commit, version
from pipeline.process.exposition import exposition

if TYPE_CHECKING:
    from pathlib import Path

GIT = shutil.which("git") or ""
with_git = pytest.mark.skipif(not GIT, reason="no git: apt-get install git (Debian)")


def git(folder: Path, *words: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b.invalid"]
    done = subprocess.run(
        [GIT, *who, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "Begin")
    return folder


@with_git
@pytest.mark.parametrize("how", ["loose", "packed", "detached", "beside"])
def test_the_commit_is_the_one_that_git_says(checkout: Path, how: str) -> None:
    folder = checkout
    if how == "packed":
        git(checkout, "pack-refs", "--all")
    elif how == "detached":
        git(checkout, "checkout", "--quiet", "--detach")
    elif how == "beside":
        folder = checkout.parent / "beside"
        git(checkout, "worktree", "add", "--quiet", "-b", "other", str(folder))
    assert built_commit(folder) == git(folder, "rev-parse", "HEAD")[:SHORT]


def test_an_image_has_a_file_and_anything_else_says_that_it_is_unknown(tmp_path: Path) -> None:
    assert built_commit(tmp_path / "nothing") == UNKNOWN
    (tmp_path / COMMIT_FILE).write_text("0123456789abcdef0123\n")
    assert built_commit(tmp_path) == "0123456789ab"


def test_every_process_shows_what_it_was_built_from() -> None:
    line = f'twoway_build_info{{commit="{built_commit()}",form='
    text = exposition().decode()
    assert line in text
    assert f'version="{version()}"' in text
