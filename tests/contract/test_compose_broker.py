"""The settings of the compose file's Kafka at a real broker: who is outside reads, and no more."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, TopicAuthorizationFailedError

from pipeline.cli.ask.broker import knock
from pipeline.cli.local.kafka import LocalKafka
from pipeline.cli.local.ports import LOOPBACK, free_port
from pipeline.home.stack import bootstrap_of
from pipeline.kafka import topics
from pipeline.kafka.login.options import aiokafka_options
from pipeline.settings import Settings
from tests.contract.compose_file import compose, filled
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.broker
PASSWORD = "of-the-reader"
#: What belongs to a container alone: addresses, folders, and what the image's scripts read.
OF_THE_CONTAINER = (
    "advertised.listeners",
    "controller.quorum.voters",
    "heap.opts",
    "listeners",
    "log.dirs",
    "node.id",
    "process.roles",
)


def properties_of(variables: dict[str, str]) -> dict[str, str]:
    """Kafka's properties, as its image makes them of the environment (KafkaDockerWrapper)."""
    return {
        name.replace("KAFKA_", "")
        .lower()
        .replace("_", ".")
        .replace("...", "-")
        .replace("..", "_"): filled(text, {})
        for name, text in variables.items()
        if name.startswith("KAFKA_")
    }


class ComposeKafka(LocalKafka):
    """A local broker with the properties of the service `kafka`."""

    def __init__(self, *, home: Path) -> None:
        super().__init__(home=home, partitions=1)
        self.outside_port = free_port(avoid={self.port, self._controller_port})

    def _format(self, java_line: list[str], properties: Path) -> None:
        given = properties_of(compose()["services"]["kafka"]["environment"])
        inside = f"PLAINTEXT://{LOOPBACK}:{self.port}"
        outside = f"OUTSIDE://{LOOPBACK}:{self.outside_port}"
        own = {
            "listeners": f"{inside},CONTROLLER://{LOOPBACK}:{self._controller_port},{outside}",
            "advertised.listeners": f"{inside},{outside}",
        }
        kept = {name: text for name, text in given.items() if name not in OF_THE_CONTAINER}
        with properties.open("a") as file:
            file.writelines(f"{name}={text}\n" for name, text in (kept | own).items())
        super()._format(java_line, properties)

    def outside(self, password: str) -> str:
        return bootstrap_of(
            Settings(
                kafka=f"{LOOPBACK}:{self.outside_port}",
                kafka_security_protocol="SASL_PLAINTEXT",
                kafka_sasl_mechanism="SCRAM-SHA-512",
                kafka_sasl_username="twoway-reader",
                kafka_sasl_password=password,
            )
        )


@pytest.fixture(scope="module")
def broker() -> Iterator[ComposeKafka]:
    """The broker, once the service `topics` has run twice, as after an upgrade."""
    with tempfile.TemporaryDirectory(prefix="twoway-compose-") as folder:
        broker = ComposeKafka(home=Path(folder))
        try:
            broker.start()
            (Path(folder) / "password").write_text(PASSWORD)
            settings = {
                "kafka": broker.bootstrap,
                "partitions": "1",
                "kafka_reader_password_file": os.fspath(Path(folder) / "password"),
            }
            for _ in range(2):
                subprocess.run(
                    [sys.executable, "-m", "deploy.create_topics"],
                    env=environment_without_settings(settings),
                    check=True,
                    timeout=90,
                )
            yield broker
        finally:
            broker.kill()


async def _write(bootstrap: str) -> None:
    producer = AIOKafkaProducer(**aiokafka_options(bootstrap))
    try:
        await producer.start()
        await producer.send_and_wait(topics.MO_MESSAGE, b"x")
    finally:
        await producer.stop()


async def _read(bootstrap: str, topic: str) -> Any:
    consumer = AIOKafkaConsumer(
        topic, **aiokafka_options(bootstrap), group_id="app", auto_offset_reset="earliest"
    )
    try:
        await consumer.start()
        async with asyncio.timeout(30):
            return (await consumer.getone()).value
    finally:
        await consumer.stop()


def test_a_program_outside_reads_and_does_not_write(broker: ComposeKafka) -> None:
    outside = broker.outside(PASSWORD)
    asyncio.run(_write(broker.bootstrap))  # as our services do, inside
    assert asyncio.run(_read(outside, topics.MO_MESSAGE)) == b"x"
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(_write(outside))
    with pytest.raises(TopicAuthorizationFailedError):
        asyncio.run(_read(outside, topics.CONVERSATION_CHANGELOG))


def test_a_program_without_the_password_stays_out(broker: ComposeKafka) -> None:
    with pytest.raises(Exception, match="refuses user twoway-reader"):
        knock(broker.outside("another"))
    with pytest.raises(KafkaConnectionError):
        asyncio.run(_write(f"{LOOPBACK}:{broker.outside_port}"))
