"""A file system of its own for one broker, which can be filled and emptied: a tmpfs.

Mounting it needs root's rights, or a container with CAP_SYS_ADMIN.
"""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

SIZE: Final = "2g"  # takes memory only for what is written
TRIES: Final = 50


class Disk:
    """The file system at `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mount(self) -> str:
        """Mount it; returns why that is not possible, empty if it was."""
        self._folder.mkdir(parents=True, exist_ok=True)
        done = self._mount("-t", "tmpfs", "-o", f"size={SIZE}", "none")
        return done.stderr.strip() if done.returncode else ""

    def fill(self) -> None:
        """Leave no room: the size becomes what is in use. It may grow between the two."""
        for _ in range(TRIES):
            found = os.statvfs(self._folder)
            used = (found.f_blocks - found.f_bfree) * found.f_frsize
            if self._mount("-o", f"remount,size={used}").returncode == 0:
                return
            time.sleep(0.01)
        raise OSError(f"{self._folder} cannot be filled")

    def free(self) -> None:
        """Give the room back."""
        done = self._mount("-o", f"remount,size={SIZE}")
        assert done.returncode == 0, done.stderr

    def unmount(self) -> None:
        """Remove it, with all that is on it."""
        subprocess.run(["umount", "--lazy", self._folder], check=True)  # noqa: S607  where PATH has it

    def _mount(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["mount", *words, self._folder],  # noqa: S607  where PATH has it
            capture_output=True,
            text=True,
            check=False,
        )
