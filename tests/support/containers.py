"""Broker and ClickHouse in containers, for `make test STACK=docker`."""

from __future__ import annotations

import contextlib
import os
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import httpx
import pytest
from testcontainers.core.container import DockerContainer

from pipeline.cli.local.kafka import broker_is_ready
from pipeline.cli.local.ports import LOOPBACK, free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KAFKA_IMAGE: Final = "apache/kafka:4.2.1"
CLICKHOUSE_IMAGE: Final = "clickhouse/clickhouse-server:26.9"
START_SECONDS: Final = 180.0
SOCKET: Final = Path("/var/run/docker.sock")
CONTROLLER: Final = 9093


@cache
def missing_engine() -> str:
    """Why no containers can run here; empty if they can."""
    if "DOCKER_HOST" not in os.environ and not SOCKET.exists():
        return f"STACK=docker needs a Docker engine: neither DOCKER_HOST nor {SOCKET} is there"
    import docker
    from docker.errors import DockerException

    try:
        with contextlib.closing(docker.from_env()) as client:
            client.ping()
    except DockerException as error:
        return f"STACK=docker needs a Docker engine: {error}"
    return ""


def require_engine() -> None:
    """Skip the test where no container can run, and say what is missing."""
    if missing := missing_engine():
        pytest.skip(missing)


@contextmanager
def _running(container: Any, is_ready: Callable[[], bool], name: str) -> Iterator[None]:
    with container:
        deadline = time.monotonic() + START_SECONDS
        while not is_ready():
            assert time.monotonic() < deadline, f"{name} does not answer: {container.get_logs()}"
            time.sleep(0.2)
        yield


@contextmanager
def kafka_container(*, partitions: int) -> Iterator[str]:
    """Bootstrap address of a broker in a container, on a port that it can advertise."""
    port = free_port()
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(port, port)
    settings = {
        "NODE_ID": 1,
        "PROCESS_ROLES": "broker,controller",
        "LISTENERS": f"BROKER://:{port},CONTROLLER://:{CONTROLLER}",
        "ADVERTISED_LISTENERS": f"BROKER://{LOOPBACK}:{port}",
        "LISTENER_SECURITY_PROTOCOL_MAP": "BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "INTER_BROKER_LISTENER_NAME": "BROKER",
        "CONTROLLER_QUORUM_VOTERS": f"1@localhost:{CONTROLLER}",
        "NUM_PARTITIONS": partitions,
        "AUTO_CREATE_TOPICS_ENABLE": "false",
        "OFFSETS_TOPIC_REPLICATION_FACTOR": 1,
        "TRANSACTION_STATE_LOG_REPLICATION_FACTOR": 1,
        "TRANSACTION_STATE_LOG_MIN_ISR": 1,
        "GROUP_INITIAL_REBALANCE_DELAY_MS": 0,
    }
    for name, value in settings.items():
        container = container.with_env(f"KAFKA_{name}", str(value))
    bootstrap = f"{LOOPBACK}:{port}"
    with _running(container, lambda: broker_is_ready(bootstrap), KAFKA_IMAGE):
        yield bootstrap


@contextmanager
def clickhouse_container() -> Iterator[str]:
    """URL of a ClickHouse server in a container."""
    port = free_port()
    container = (
        DockerContainer(CLICKHOUSE_IMAGE)
        .with_bind_ports(8123, port)
        .with_env("CLICKHOUSE_USER", "twoway")
        .with_env("CLICKHOUSE_PASSWORD", "of-the-tests")
        .with_env("CLICKHOUSE_DEFAULT_ACCESS_MANAGEMENT", "1")
    )

    def is_ready() -> bool:
        try:
            return httpx.get(f"http://{LOOPBACK}:{port}/ping", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    with _running(container, is_ready, CLICKHOUSE_IMAGE):
        yield f"http://twoway:of-the-tests@{LOOPBACK}:{port}"
