"""Packages of a test alone, installed once into the cache, by lock files."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pipeline.cli.local.jars import cache_folder
from pipeline.home.lock import lock

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

INSTALL_SECONDS: Final = 240.0
#: What pip and npm say of a package that is not the one that was pinned.
FORGED: Final = ("DO NOT MATCH THE HASHES", "EINTEGRITY", "EUSAGE")


def installed(name: str, of: Sequence[Path], install: Callable[[Path], None]) -> Path:
    """The folder in which `install` has put what the files `of` name; made once."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in of)).hexdigest()[:16]
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / f"{name}-{digest}"
    with (cache / f"{target.name}.lock").open("w") as file:
        lock(file)
        if not target.is_dir():
            draft = Path(tempfile.mkdtemp(prefix="draft-", dir=cache))
            try:
                install(draft)
                draft.rename(target)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
    return target


def run(*words: str, folder: Path) -> None:
    """Run an installing client; the test is skipped by name where the registry is away."""
    try:
        done = subprocess.run(
            words,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"{words[0]} has not installed what the test needs in {INSTALL_SECONDS} s")
    said = done.stdout + done.stderr
    assert not any(word in said for word in FORGED), said
    if done.returncode:
        pytest.skip(f"{Path(words[0]).name} cannot install what the test needs: {said[-500:]}")


def tool(name: str) -> str:
    """The path of a program; the test is skipped by name without it."""
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


def installed_by_pip(name: str, requirements: Path) -> Path:
    """A folder for PYTHONPATH with the packages of a file of pinned and hashed requirements."""

    def install(draft: Path) -> None:
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        words = ("--require-hashes", "--no-deps", "--target", str(draft), "-r", str(requirements))
        run(*pip, *words, folder=draft)

    return installed(f"{name}-3.{sys.version_info.minor}", [requirements], install)


def installed_by_npm(name: str, folder: Path) -> Path:
    """A folder that has node_modules by the lock file of `folder`; runs no script of a package."""
    npm = tool("npm")
    files = [folder / "package.json", folder / "package-lock.json"]

    def install(draft: Path) -> None:
        for file in files:
            shutil.copy(file, draft)
        run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", folder=draft)

    return installed(name, files, install)
