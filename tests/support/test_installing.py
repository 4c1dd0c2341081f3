"""Packages of a test alone: installed once, whole or not at all, and never another than pinned."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.installing import installed, run, tool

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "twoway"


def test_it_is_installed_once_and_again_when_the_lock_changes(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    lock.write_text("one")
    made: list[Path] = []

    def install(draft: Path) -> None:
        made.append(draft)
        (draft / "package").touch()

    first = installed("x", [lock], install)
    assert installed("x", [lock], install) == first
    assert (first / "package").is_file()
    lock.write_text("two")
    assert installed("x", [lock], install) != first
    assert len(made) == 2


def test_what_broke_off_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    lock = tmp_path / "lock"
    lock.touch()

    def install(draft: Path) -> None:
        (draft / "half").touch()
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        installed("x", [lock], install)
    assert [path.name for path in cache.iterdir() if path.is_dir()] == []


def client(words: str, code: int) -> tuple[str, ...]:
    """A client that says so and ends so."""
    return sys.executable, "-c", f"print({words!r}); raise SystemExit({code})"


def test_a_registry_that_is_away_skips_the_test_by_name(tmp_path: Path) -> None:
    with pytest.raises(pytest.skip.Exception, match=r"cannot install.*ENOTFOUND"):
        run(*client("ENOTFOUND", 1), folder=tmp_path)
    run(*client("added 2 packages", 0), folder=tmp_path)


@pytest.mark.parametrize(
    "words", ["THESE PACKAGES DO NOT MATCH THE HASHES", "npm error code EINTEGRITY", "EUSAGE"]
)
def test_another_package_than_the_pinned_one_fails_the_test(words: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=words):
        run(*client(words, 1), folder=tmp_path)


def test_a_program_that_is_absent_skips_the_test_by_name() -> None:
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        tool("no-such-program")
