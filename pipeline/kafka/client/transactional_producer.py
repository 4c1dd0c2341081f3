"""The producer of one partition's transactions.

Written against aiokafka 0.14.0, which is pinned and has the wait below as a module constant.
"""

from __future__ import annotations

from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.producer import sender

from pipeline.kafka.client import transactions_v2
from pipeline.kafka.client.answers import BROKER_ANSWER_MS, bound_answers
from pipeline.kafka.client.transactions_v2 import ASKED_AGAIN_SECONDS
from pipeline.kafka.login.options import serving_options

TRANSACTION_TIMEOUT_MS: Final = 30_000
MAX_BATCH_OCTETS: Final = 1 << 20  # a little below the broker's message.max.bytes
# After a transaction, a broker refuses the next one of the same id for a few milliseconds. aiokafka
# asks again after 20 ms.
sender.BACKOFF_OVERRIDE = ASKED_AGAIN_SECONDS
# A broker may also refuse a write, with NOT_ENOUGH_REPLICAS, while it verifies the transaction of
# the write. aiokafka tries again after 100 ms.
RETRY_MS: Final = 10


class TransactionalProducer(AIOKafkaProducer):
    """A producer that uses transactions V2 if the cluster has them.

    `start` fences the previous owner of the id.
    """

    async def start(self) -> None:
        """Connect, find out whether the cluster has transactions V2, and fence."""
        bound_answers(self.client)
        self._sender._request_timeout_ms = BROKER_ANSWER_MS  # noqa: SLF001 - a broker waits no longer
        await self.client.bootstrap()
        if await transactions_v2.are_spoken(self.client):
            transactions_v2.put_into(self)
        await self._sender.start()


def transactional_producer(*, bootstrap: str, transactional_id: str) -> AIOKafkaProducer:
    """A producer that is not started yet. Its start fences the previous owner of the id."""
    return TransactionalProducer(
        **serving_options(bootstrap),
        transactional_id=transactional_id,
        acks="all",
        max_batch_size=MAX_BATCH_OCTETS,
        retry_backoff_ms=RETRY_MS,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
    )
