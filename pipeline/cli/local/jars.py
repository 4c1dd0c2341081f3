"""The jars of Apache Kafka, pinned and hashed in `kafka.lock`, fetched once into a shared cache.

`python -m pipeline.cli.local.jars` writes `kafka.lock` anew. It resolves the dependencies, which
takes half a minute; so an installation does not do it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pipeline.home.lock import lock
from pipeline.home.process import CannotStart

if TYPE_CHECKING:
    from collections.abc import Callable

KAFKA_VERSION: Final = "4.3.0"
LOCK: Final = Path(__file__).with_name("kafka.lock")
# Kafka's own pom leaves the logging backend to its tarball. `!`: no versions from its BOM.
_ENDPOINT: Final = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}!"
    "+org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!"
)


class JarsError(CannotStart):
    """A jar cannot be had, or is not the one that was pinned."""


def cache_folder() -> Path:
    """Where what was downloaded is kept, shared by all homes and checkouts (XDG cache)."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "twoway"


def _pinned() -> list[tuple[str, str]]:
    """(group:artifact:version, SHA-256) of every jar."""
    rows = [line.split() for line in LOCK.read_text().splitlines() if line.strip()]
    return [(coordinate, digest) for coordinate, digest in rows]


def _jar_name(coordinate: str) -> str:
    _, artifact, version = coordinate.split(":")
    return f"{artifact}-{version}.jar"


def _fetch(maven: Any, coordinate: str, digest: str, folder: Path) -> None:
    """One jar into `folder`; raises `JarsError` when it cannot be had or differs."""
    group, artifact, version = coordinate.split(":")
    try:
        path = maven.project(group, artifact).at_version(version).artifact().resolve()
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors
        raise JarsError(f"cannot fetch {coordinate} from Maven Central: {error}") from error
    octets = path.read_bytes()
    if hashlib.sha256(octets).hexdigest() != digest:
        raise JarsError(f"{coordinate} is not the jar pinned in {LOCK.name}: another SHA-256")
    (folder / _jar_name(coordinate)).write_bytes(octets)


def _download(target: Path, say: Callable[[str], None]) -> None:
    """Fill `target` in one step, so that a download cut short leaves nothing half done."""
    from jgo.maven import MavenContext

    pinned = _pinned()
    say(f"resolving Apache Kafka {KAFKA_VERSION}: {len(pinned)} jars, once (about 15 s)")
    draft = Path(tempfile.mkdtemp(prefix="draft-", dir=target.parent))
    try:
        jars = draft / "jars"
        jars.mkdir()
        maven = MavenContext(repo_cache=draft / "repository")
        pool = ThreadPoolExecutor(8)
        try:
            for task in [pool.submit(_fetch, maven, name, sha, jars) for name, sha in pinned]:
                task.result()
        finally:
            pool.shutdown(cancel_futures=True)  # on Ctrl-C or the first failure: no further jar
        jars.rename(target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def kafka_jars(*, say: Callable[[str], None] = lambda words: None) -> list[Path]:
    """Every jar of the class path, downloaded when the cache lacks them."""
    cache = cache_folder()
    cache.mkdir(parents=True, exist_ok=True)
    # The name holds the lock's digest: another set of jars is another folder.
    mark = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    target = cache / f"kafka-{KAFKA_VERSION}-{mark}"
    if not target.is_dir():
        with (cache / f"{target.name}.lock").open("w") as file:
            lock(file)  # two stacks that start side by side fetch once
            if not target.is_dir():
                _download(target, say)
    jars = [target / _jar_name(coordinate) for coordinate, _ in _pinned()]
    if missing := [jar.name for jar in jars if not jar.is_file()]:
        raise JarsError(f"{target} lacks {', '.join(missing)}: delete the folder and start again")
    return jars


def write_lock() -> None:
    """Resolve `_ENDPOINT` afresh and pin what it needs."""
    from jgo.env import EnvironmentBuilder, LinkStrategy
    from jgo.maven import MavenContext

    with tempfile.TemporaryDirectory() as scratch:
        builder = EnvironmentBuilder(
            context=MavenContext(repo_cache=Path(scratch) / "repository"),
            cache_dir=Path(scratch) / "environments",
            link_strategy=LinkStrategy.AUTO,
        )
        lockfile = builder.from_endpoint(_ENDPOINT).lockfile
        if lockfile is None:
            raise JarsError("jgo wrote no lock file")
        rows = sorted(
            f"{jar.groupId}:{jar.artifactId}:{jar.version} {jar.sha256}"
            for jar in lockfile.dependencies
        )
    LOCK.write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    write_lock()
    sys.stdout.write(f"{LOCK}: {len(_pinned())} jars\n")
