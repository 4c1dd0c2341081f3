"""The producer of one partition's transactions.

Written against aiokafka 0.14.0, which is pinned: it has the wait below as a constant of a module.
"""

from __future__ import annotations

from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.producer import sender

from pipeline.kafka.client import transactions_v2
from pipeline.kafka.client.transactions_v2 import ASKED_AGAIN_SECONDS

TRANSACTION_TIMEOUT_MS: Final = 30_000
MAX_BATCH_OCTETS: Final = 1 << 20  # a little below the broker's message.max.bytes
# A broker refuses the next transaction of an id for a few milliseconds. aiokafka asks after 20.
sender.BACKOFF_OVERRIDE = ASKED_AGAIN_SECONDS
# A write may be refused as well, as NOT_ENOUGH_REPLICAS, while the broker verifies that its
# transaction is under way. aiokafka tries again after 100 ms.
RETRY_MS: Final = 10


class TransactionalProducer(AIOKafkaProducer):
    """Its start fences whoever had the id before. Speaks transactions V2 where the cluster does."""

    async def start(self) -> None:
        """Connect, find out which transactions the cluster has, and fence."""
        await self.client.bootstrap()
        if await transactions_v2.are_spoken(self.client):
            transactions_v2.put_into(self)
        await self._sender.start()


def transactional_producer(*, bootstrap: str, transactional_id: str) -> AIOKafkaProducer:
    """A producer that is not started yet: its start fences whoever had the id before."""
    return TransactionalProducer(
        bootstrap_servers=bootstrap,
        transactional_id=transactional_id,
        acks="all",
        max_batch_size=MAX_BATCH_OCTETS,
        retry_backoff_ms=RETRY_MS,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
    )
