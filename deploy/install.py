"""`python deploy/install.py FILE`: installs the pinned packages of FILE and prints its progress.

It uses only the standard library, because it runs before anything is installed.
"""

from __future__ import annotations

import os
import re
import site
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

REMINDER_SECONDS: Final = 5.0
# pip's line about a package that it fetches: the file, and for large ones the size.
_FETCHES: Final = re.compile(r"\s*(?:Downloading|Using cached) (\S+?)-(\d\S*?)(?:-\S+|\.tar\.gz)? ")
_SIZE: Final = re.compile(r"\((\d+\.?\d* [kM]B)\)")
_UNPACKS: Final = "Installing collected packages:"
PIP: Final = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")


def say(words: str) -> None:
    """Print a line of progress."""
    sys.stdout.write(f"twoway: {words}\n")
    sys.stdout.flush()


class Unpacking:
    """Counts the packages in site-packages while pip unpacks them, because pip prints nothing."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._remind, daemon=True)

    def __enter__(self) -> Unpacking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _remind(self) -> None:
        folder = Path(site.getsitepackages()[0])
        while not self._over.wait(REMINDER_SECONDS):
            say(f"unpacking, {len(list(folder.glob('*.dist-info')))} of {self._total} packages")


def install(requirements: Path) -> int:
    """Install the packages that `requirements` pins; returns pip's exit status."""
    total = requirements.read_text().count("==")
    say(f"installing {total} packages from {requirements}, 700 MB on disk")
    words = [*PIP, "install", "--progress-bar", "off", "--require-hashes", "-r", str(requirements)]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(  # noqa: S603 - pip of this environment
        words, env=environment, stdout=subprocess.PIPE, stderr=None, text=True
    ) as pip:
        _tell(pip, total)
    return pip.returncode


def _tell(pip: subprocess.Popen[str], total: int) -> None:
    """Print pip's output in short form."""
    fetched = 0
    for line in pip.stdout or ():
        if found := _FETCHES.match(line):
            fetched += 1
            size = _SIZE.search(line)
            say(f"{fetched}/{total} {found[1]} {found[2]}{f', {size[1]}' if size else ''}")
        elif line.startswith(_UNPACKS):
            say("unpacking, half a minute to two minutes")
            with Unpacking(total):
                pip.wait()
        elif line.startswith(("ERROR", "WARNING")):
            say(line.rstrip())


def main() -> int:
    """Install the packages, then this checkout on top of them."""
    began = time.monotonic()
    status = install(Path(sys.argv[1]))
    if status == 0:
        own = ["install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", "."]
        status = subprocess.run([*PIP, *own], check=False).returncode  # noqa: S603 - as above
    if status == 0:
        say(f"installed in {time.monotonic() - began:.0f} s")
    else:
        say(f"pip ended with {status}; its output is above. Run the command again to continue")
    return status


if __name__ == "__main__":
    sys.exit(main())
