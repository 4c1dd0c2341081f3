"""A client begins with a broker: one that is not registered yet is asked again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaConnectionError

from pipeline.kafka import registered_brokers
from pipeline.kafka.login.options import serving_options

ASKED_SECONDS = 10


class Connection:
    """The first connection, which aiokafka keeps while it knows of no broker."""

    def __init__(self) -> None:
        self.is_open = True

    def close(self) -> None:
        self.is_open = False


class Client:
    """What aiokafka's first request leaves: brokers, or none and the open connection."""

    def __init__(self, *answers: set[str]) -> None:
        self.answers = list(answers)
        self.cluster = self
        self._conns: dict[Any, Connection] = {}
        self.made: list[Connection] = []
        self._known: set[str] = set()

    def brokers(self) -> set[str]:
        return self._known

    async def bootstrap(self) -> None:
        self._known = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.made.append(Connection())
        if self._known:
            self.made[-1].close()
        else:
            self._conns[registered_brokers._FIRST] = self.made[-1]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registered_brokers, "_bootstrap", Client.bootstrap)
    monkeypatch.setattr(registered_brokers, "BROKERS_ASKED_AGAIN_SECONDS", 0.001)


@pytest.mark.parametrize("without", [0, 1, 3])
async def test_a_client_begins_when_a_broker_is_named_and_leaves_no_connection_open(
    without: int,
) -> None:
    client = Client(*[set() for _ in range(without)], {"1"})
    await asyncio.wait_for(registered_brokers._bootstrap_with_brokers(client), ASKED_SECONDS)
    assert len(client.made) == without + 1
    assert not any(connection.is_open for connection in client.made)


async def test_a_broker_that_is_never_registered_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registered_brokers, "PATIENCE_SECONDS", 0.01)
    client = Client(set())
    with pytest.raises(KafkaConnectionError, match="not registered"):
        await asyncio.wait_for(registered_brokers._bootstrap_with_brokers(client), ASKED_SECONDS)
    assert not any(connection.is_open for connection in client.made)


def test_every_client_of_a_process_that_serves_begins_so() -> None:
    serving_options("127.0.0.1:1")
    assert AIOKafkaClient.bootstrap is registered_brokers._bootstrap_with_brokers
