"""A small file system of its own that can be filled and emptied.

It is a tmpfs. Mounting it needs root's rights, or a container with CAP_SYS_ADMIN.
"""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SIZE = "64m"
PIECE = bytes(64 * 1024)


class SmallDisk:
    """The file system at `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room at all."""
        with self._ballast.open("ab", buffering=0) as file:
            for piece in (PIECE, b"x"):
                try:
                    while True:
                        file.write(piece)
                except OSError:
                    continue

    def free(self) -> None:
        """Give the room back."""
        self._ballast.unlink()


@cache
def why_not() -> str:
    """Why nothing can be mounted here; empty if it can."""
    done = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],  # noqa: S607  where PATH has it
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr.strip() or "mount failed"


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    """A file system at this folder; skips the test where it cannot be mounted."""
    if words := why_not():
        pytest.skip(f"a small disk cannot be mounted: {words}")
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "none", folder]
    subprocess.run(mount, check=True)
    try:
        yield SmallDisk(folder)
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S607  where PATH has it
