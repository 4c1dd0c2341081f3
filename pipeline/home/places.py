"""A name and a home for each of several workers that start with the same settings.

The setting `instances` names a folder, as a volume that the containers of one service share. A
process takes the first place in it that no other process holds: `worker-1`, `worker-2`. It keeps
the place's name and state. The kernel releases the place of a process that ends in any way.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from pipeline.home.lock import lock, try_lock

if TYPE_CHECKING:
    from pipeline.settings import Settings

LOCK_NAME: Final = "place.lock"
MARK_NAME: Final = "id"
#: Open until the process ends, because a closed file is unlocked.
_held: list[IO[str]] = []


def with_place(settings: Settings, process: str) -> Settings:
    """The settings with the name and the home of a place, if `instances` is set; else unchanged.

    A name that is set stays. Raises `OSError` for a folder that cannot be used.
    """
    if not settings.instances:
        return settings
    folder = Path(settings.instances)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = _mark_of(folder)
    for number in count(1):
        home = folder / f"{process}-{number}"
        home.mkdir(mode=0o700, exist_ok=True)
        file = (home / LOCK_NAME).open("a")
        if try_lock(file):
            _held.append(file)
            name = settings.instance or f"{process}-{number}-{mark}"
            return replace(settings, home=home, instance=name)
        file.close()
    raise AssertionError  # the numbers do not end


def _mark_of(folder: Path) -> str:
    """What tells the folder from those of other machines, whose workers may share a broker."""
    descriptor = os.open(folder / MARK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+") as file:
        lock(file)
        if not (mark := file.read().strip()):
            mark = secrets.token_hex(3)
            file.write(f"{mark}\n")
        return mark
