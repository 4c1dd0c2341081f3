"""A real Apache Kafka on this machine without Docker: KRaft, one node, loopback."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kafka import KafkaAdminClient
from kafka.errors import KafkaError

from pipeline.cli.local.archive import archive_classes, class_archive
from pipeline.cli.local.formatting import (
    META_PROPERTIES,
    format_as_before,
    keep_format_of,
    metadata_level,
    new_id,
)
from pipeline.cli.local.jars import KAFKA_VERSION, kafka_jars
from pipeline.cli.local.java import find_java
from pipeline.cli.local.ports import LOOPBACK, free_port, port_is_free
from pipeline.cli.local.properties import LOGGING_PROPERTIES, SERVER_PROPERTIES
from pipeline.home.process import CannotStart, start_process, stop_process
from pipeline.kafka.admin import KAFKA_4_2
from pipeline.kafka.login.options import kafka_python_options

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.cli.local.java import Java

START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 8.0
# Only the first compiler (C1). The second would take, for minutes, processor time that the clients
# need on a machine with two cores.
JAVA_OPTIONS: Final = ("-Xms256m", "-Xmx512m", "-XX:TieredStopAtLevel=1")


class LocalKafkaError(CannotStart):
    """The broker cannot be started; the words say why and where its log is."""


def broker_is_ready(bootstrap: str) -> bool:
    """Whether the broker answers a metadata request as a registered, unfenced node."""
    host, _, port = bootstrap.rpartition(":")
    try:
        # Find a refused connection here: kafka-python would leave its socket open.
        socket.create_connection((host, int(port)), timeout=1).close()
        with _quiet(), _client(bootstrap) as admin:
            nodes = admin.describe_cluster()["brokers"]
            return any(not node.get("is_fenced", False) for node in nodes)
    except (KafkaError, OSError):
        return False


def _client(bootstrap: str) -> Any:
    return KafkaAdminClient(
        **kafka_python_options(bootstrap),
        client_id="twoway-ready",
        request_timeout_ms=3_000,
        bootstrap_timeout_ms=1_000,
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress the log lines of kafka-python about attempts that fail."""
    logger = logging.getLogger("kafka")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


class LocalKafka:
    """One broker with its data under `home`. A `start` after `stop` or `kill` keeps the data."""

    def __init__(
        self,
        *,
        home: Path,
        port: int = 0,
        partitions: int = 4,
        say: Callable[[str], None] = lambda words: None,
    ) -> None:
        self.port = port or free_port()
        self._controller_port = free_port(avoid={self.port})
        self.home = home
        self.log = home / "logs" / "kafka.log"
        self.process: subprocess.Popen[bytes] | None = None
        self.java_options: tuple[str, ...] = JAVA_OPTIONS
        self.data = (home / "kafka" / "data").resolve()
        self._folder = self.data.parent
        self._partitions = partitions
        self._cluster_id = new_id()
        self._say = say

    @property
    def bootstrap(self) -> str:
        """The address for clients, host:port."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def pid(self) -> int:
        """Process id of the broker; raises `LocalKafkaError` if it was not started."""
        if self.process is None:
            raise LocalKafkaError("the broker was not started")
        return self.process.pid

    @property
    def environment(self) -> dict[str, str]:
        """Our environment without secrets and without variables that would change the JVM."""
        ours = ("TWOWAY_", "KAFKA_", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS")
        return {name: text for name, text in os.environ.items() if not name.startswith(ours)}

    def prepare(self) -> list[str]:
        """Fetch jars, write the configuration, format a new data folder; give the command line."""
        if not port_is_free(self.port):
            raise LocalKafkaError(f"port {self.port} is taken: choose another by kafka_port")
        if metadata_level(self.data) > KAFKA_4_2:
            raise LocalKafkaError(
                f"{self._folder} is of a newer Apache Kafka, and {KAFKA_VERSION} cannot read it:"
                " docs/upgrading.md says how its messages are taken along"
            )
        jars = os.pathsep.join(str(jar) for jar in kafka_jars(say=self._say))
        java = find_java()
        self.data.mkdir(parents=True, exist_ok=True)
        properties = self._folder / "server.properties"
        logging_properties = self._folder / "log4j2.properties"
        properties.write_text(self._properties())
        logging_properties.write_text(LOGGING_PROPERTIES)
        class_data = self._class_data(java, jars)
        options = [
            *self.java_options,
            "-Djava.awt.headless=true",
            f"-Dlog4j2.configurationFile={logging_properties}",
            "-cp",
            jars,
        ]
        if not (self.data / META_PROPERTIES).is_file():
            self._format([str(java.path), *options], properties)
        self._say(f"starting Apache Kafka {KAFKA_VERSION} on {self.bootstrap} ({java.origin})")
        return [str(java.path), *class_data, *options, "kafka.Kafka", str(properties)]

    def _class_data(self, java: Java, jars: str) -> list[str]:
        """The options for Java by which it takes the classes from an archive."""
        archive = class_archive(java, partial(self._archive_classes, java, jars))
        return [f"-XX:SharedArchiveFile={archive}"] if archive else []

    def _archive_classes(self, java: Java, jars: str, archive: Path) -> None:
        """Note the classes that a broker loads at its start, and let Java archive these."""
        self._say("storing the broker's classes for quicker starts, once (about 7 s)")
        with tempfile.TemporaryDirectory() as folder:
            names = Path(folder) / "classes"
            broker = _Noted(home=Path(folder), names=names)
            try:
                broker.start()
            except LocalKafkaError:
                return  # whoever wants the broker will meet the same and say it
            finally:
                broker.stop()
            archive_classes(java, jars=jars, names=names, archive=archive)

    def _properties(self) -> str:
        """The text of the broker's `server.properties`."""
        return SERVER_PROPERTIES.format(
            host=LOOPBACK,
            port=self.port,
            controller_port=self._controller_port,
            data=self.data,
            partitions=self._partitions,
        )

    def _format(self, java_line: list[str], properties: Path) -> None:
        """Make a new data folder one of a new cluster."""
        if format_as_before(self.data, properties, cluster_id=self._cluster_id):
            return
        self._say("formatting the broker's data folder")
        named = f"--cluster-id={self._cluster_id}"  # one word: an id may begin with a hyphen
        words = ["kafka.tools.StorageTool", "format", named, "-c", str(properties)]
        done = subprocess.run(  # noqa: S603 - our own Java and jars
            [*java_line, *words], env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise LocalKafkaError(f"cannot format {self._folder}: {done.stdout}{done.stderr}")
        keep_format_of(self.data)

    def start(self) -> None:
        """Start the broker; returns when it answers. Raises `LocalKafkaError`."""
        if self.process is not None and self.process.poll() is None:
            raise LocalKafkaError(f"the broker runs already, pid {self.process.pid}")
        self.process = start_process(self.prepare(), environment=self.environment, log=self.log)
        deadline = time.monotonic() + START_SECONDS
        while not broker_is_ready(self.bootstrap):
            if (status := self.process.poll()) is not None:
                raise LocalKafkaError(f"the broker ended with {status}: see {self.log}")
            if time.monotonic() > deadline:
                self.kill()
                raise LocalKafkaError(f"no answer in {START_SECONDS:.0f} s: see {self.log}")
            time.sleep(0.1)
        self._say(f"Apache Kafka answers on {self.bootstrap}, pid {self.process.pid}")

    def stop(self) -> None:
        """Stop the broker in an orderly way, with SIGTERM."""
        if self.process is not None:
            stop_process(self.process, patience_seconds=STOP_SECONDS)

    def kill(self) -> None:
        """Kill the broker with SIGKILL, for tests."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()


class _Noted(LocalKafka):
    """A broker whose Java writes the names of the loaded classes to a file."""

    def __init__(self, *, home: Path, names: Path) -> None:
        super().__init__(home=home)
        self._names = names

    def _class_data(self, java: Java, jars: str) -> list[str]:
        return [f"-XX:DumpLoadedClassList={self._names}"]
