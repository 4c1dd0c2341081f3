"""A client begins with at least one broker.

A broker that has just started answers before it is registered: then it knows of no broker, not even
of itself. aiokafka 0.14.0 takes that for the whole cluster. The first question of such a client,
who coordinates its group, fails by an assertion, and the member never joins its group.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, Final

from aiokafka.client import AIOKafkaClient, ConnectionGroup
from aiokafka.errors import KafkaConnectionError

PATIENCE_SECONDS: Final = 30.0
BROKERS_ASKED_AGAIN_SECONDS: Final = 0.1
_FIRST: Final = ("bootstrap", ConnectionGroup.DEFAULT)  # aiokafka's key of the first connection

_bootstrap: Final = AIOKafkaClient.bootstrap


async def _bootstrap_with_brokers(client: Any) -> None:
    """aiokafka's function; it asks again while the answer names no broker.

    Raises `KafkaConnectionError` if none is named for half a minute.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        await _bootstrap(client)
        if client.cluster.brokers():
            return
        if (connection := client._conns.pop(_FIRST, None)) is not None:  # noqa: SLF001 - see above
            connection.close()
        if time.monotonic() > deadline:
            raise KafkaConnectionError("the broker answers, and is not registered")
        await asyncio.sleep(BROKERS_ASKED_AGAIN_SECONDS)


def begin_with_brokers() -> None:
    """From now on every client of aiokafka in this process waits for a broker when it begins."""
    AIOKafkaClient.bootstrap = _bootstrap_with_brokers
