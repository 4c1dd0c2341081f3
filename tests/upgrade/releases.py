"""The old release, from the history of this checkout."""

from __future__ import annotations

import shutil
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


class NoHistory(RuntimeError):
    """There is no git, or no history; the words say which."""


def unpack(revision: str, folder: Path) -> str:
    """Write the files of a revision into a folder; returns its commit. Raises `NoHistory`."""
    commit = _git("rev-parse", "--verify", f"{revision}^{{commit}}").decode().strip()
    with tarfile.open(fileobj=BytesIO(_git("archive", commit))) as archive:
        archive.extractall(folder, filter="data")
    return commit


def _git(*words: str) -> bytes:
    git = shutil.which("git")
    if git is None:
        raise NoHistory("there is no git")
    done = subprocess.run([git, *words], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise NoHistory(done.stderr.decode(errors="replace").strip())
    return done.stdout
