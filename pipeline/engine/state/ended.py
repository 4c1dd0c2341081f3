"""Waits until each transaction that wrote to a partition's outputs before now has an end.

A fence ends the last owner's transaction, and the broker then writes a marker into each partition
of it. A broker that leaves one out (KAFKA-20734, deploy/decisions/0172) says nothing of it. The
next transaction of the same owner would end both: what was to be aborted would be committed, and
done a second time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from pipeline.kafka.client.confirmed_ends import LEADERS_KNOWN_MS
from pipeline.kafka.client.end_offsets import Ends
from pipeline.kafka.login.options import serving_options
from pipeline.wrong_deploy import NeedsOperator

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

log = logging.getLogger(__name__)

#: A broker aborts a transaction whose owner has gone, within 30 s and the 10 s between its looks.
PATIENCE_SECONDS: Final = 60.0
LOOKED_AGAIN_SECONDS: Final = 0.02
LONGEST_PAUSE_SECONDS: Final = 1.0


class TransactionWithoutEnd(NeedsOperator):
    """A transaction in an output has no end, and nothing will end it."""


class EndedTransactions:
    """Asks for the ends of outputs. Partitions that ask at the same time share the clients."""

    def __init__(self, *, bootstrap: str, topics: Collection[str]) -> None:
        self._topics = tuple(topics)
        self._bootstrap = bootstrap
        self._clients: tuple[Ends, Ends] | None = None
        self._users = 0

    async def until_ended(self, partition: int) -> None:
        """Return when what is written now in this partition of each topic has an end.

        Raises `TransactionWithoutEnd` if a transaction is open for longer than a broker allows it.
        """
        async with self._shared() as (of_written, of_ended):
            outputs = [TopicPartition(topic, partition) for topic in self._topics]
            written = await of_written.read(outputs)
            deadline = time.monotonic() + PATIENCE_SECONDS
            pause = LOOKED_AGAIN_SECONDS
            while True:
                ended = await of_ended.read(outputs)
                waiting = sorted(
                    f"{tp.topic}[{tp.partition}]" for tp in outputs if ended[tp] < written[tp]
                )
                if not waiting:
                    return
                if time.monotonic() > deadline:
                    raise TransactionWithoutEnd(
                        f"a transaction in {', '.join(waiting)} has no end, and the broker will not"
                        " write one: docs/operating.md says what to do"
                    )
                await asyncio.sleep(pause)
                if (pause := 2 * pause) > LONGEST_PAUSE_SECONDS:
                    pause = LONGEST_PAUSE_SECONDS
                    log.warning("%s: a transaction has no end yet", ", ".join(waiting))

    @asynccontextmanager
    async def _shared(self) -> AsyncIterator[tuple[Ends, Ends]]:
        """Clients for what is written and for what has an end; who leaves last closes them."""
        if self._clients is None:
            self._clients = (
                Ends(partial(_asker, self._bootstrap, "read_uncommitted")),
                Ends(partial(_asker, self._bootstrap, "read_committed")),
            )
        of_written, of_ended = self._clients
        self._users += 1
        try:
            yield of_written, of_ended
        finally:
            self._users -= 1
            if not self._users:
                self._clients = None  # whoever comes while these are closed makes others
                await asyncio.gather(of_written.close(), of_ended.close())


def _asker(bootstrap: str, isolation: str) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        **serving_options(bootstrap),
        metadata_max_age_ms=LEADERS_KNOWN_MS,
        isolation_level=isolation,
        enable_auto_commit=False,
    )
