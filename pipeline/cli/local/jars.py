"""The jars of Apache Kafka, pinned and hashed in `kafka.lock`, fetched once into a shared cache.

`python -m pipeline.cli.local.jars` writes `kafka.lock`. It resolves the dependencies, which takes
half a minute. So an installation reads the lock file and does not resolve them again.
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

#: Not 4.3.0 to 4.4.0, which can leave out the end of a transaction (deploy/decisions/0172).
KAFKA_VERSION: Final = "4.2.1"
LOCK: Final = Path(__file__).with_name("kafka.lock")
# Kafka's pom does not name a logging backend; its tarball adds one. `!`: no versions from its BOM.
_ENDPOINT: Final = (
    f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}!"
    "+org.apache.logging.log4j:log4j-slf4j-impl:2.25.4!"
)


class JarsError(CannotStart):
    """A jar cannot be downloaded, or is not the jar that was pinned."""


def cache_folder() -> Path:
    """The folder of downloads, which all homes and checkouts share (XDG cache)."""
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
    """Download one jar into `folder`; raises `JarsError` if that fails or the hash differs."""
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
    """Download all jars and then rename the folder to `target`: `target` is never incomplete."""
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


def _jars_folder() -> Path:
    """The name has the digest of the lock file, so another set of jars gets another folder."""
    mark = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    return cache_folder() / f"kafka-{KAFKA_VERSION}-{mark}"


def kept_beside_jars(ending: str) -> Path:
    """The file with this ending for what these jars make always alike."""
    folder = _jars_folder()
    return folder.with_name(f"{folder.name}.{ending}")


def kafka_jars(*, say: Callable[[str], None] = lambda words: None) -> list[Path]:
    """Every jar of the class path; they are downloaded if the cache lacks them."""
    target = _jars_folder()
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.is_dir():
        with target.with_name(f"{target.name}.lock").open("w") as file:
            lock(file)  # of two stacks that start at once, one downloads and the other waits
            if not target.is_dir():
                _download(target, say)
    jars = [target / _jar_name(coordinate) for coordinate, _ in _pinned()]
    if missing := [jar.name for jar in jars if not jar.is_file()]:
        raise JarsError(f"{target} lacks {', '.join(missing)}: delete the folder and start again")
    return jars


def write_lock() -> None:
    """Resolve the dependencies of `_ENDPOINT` and write them to the lock file."""
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
