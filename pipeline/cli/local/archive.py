"""Keeps the broker's loaded classes in one file beside the jars, so that a start takes less.

Java reads and verifies some 7,000 classes at each start of a broker. A class data archive (JEP 310)
has them ready (deploy/decisions/0171).
"""

from __future__ import annotations

import hashlib
import subprocess
from typing import TYPE_CHECKING

from pipeline.cli.local.jars import kept_beside_jars
from pipeline.home.lock import lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.cli.local.java import Java


def class_archive(java: Java, make: Callable[[Path], None]) -> Path | None:
    """The archive for this Java; None if there is none. `make` writes it to the path that it gets.

    An empty file says that this Java writes no archive: then the next start does not try again. If
    `make` leaves no file, the next start tries again.
    """
    mark = hashlib.sha256(f"{java.path}\n{java.words}".encode()).hexdigest()[:12]
    kept = kept_beside_jars(f"{mark}.jsa")
    if not kept.is_file():
        with kept.with_name(f"{kept.name}.lock").open("w") as file:
            lock(file)  # of two stacks that start at once, one makes it and the other waits
            if not kept.is_file():
                draft = kept.with_name(f"{kept.name}.draft")
                draft.unlink(missing_ok=True)
                make(draft)
                if draft.is_file():
                    draft.replace(kept)  # whoever looks finds it whole
    return kept if kept.is_file() and kept.stat().st_size else None


def archive_classes(java: Java, *, jars: str, names: Path, archive: Path) -> None:
    """Let Java write an archive of the named classes; an empty file if it cannot."""
    done = subprocess.run(  # noqa: S603 - our own Java and jars
        [
            str(java.path),
            "-Xshare:dump",
            f"-XX:SharedClassListFile={names}",
            f"-XX:SharedArchiveFile={archive}",
            "-cp",
            jars,
        ],
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        archive.write_bytes(b"")
