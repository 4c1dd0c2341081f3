"""The producer of one partition's transactions.

Written against aiokafka 0.14.0, which is pinned: it has the wait below as a constant of a module.
"""

from __future__ import annotations

from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.producer import sender

from pipeline.engine.unit_of_work import MAX_BATCH_OCTETS

TRANSACTION_TIMEOUT_MS: Final = 30_000
# A broker answers a commit before it has written the markers, and refuses the next transaction of
# the same id until then: a few milliseconds. aiokafka tries again after 20.
ASKED_AGAIN_SECONDS: Final = 0.005
sender.BACKOFF_OVERRIDE = ASKED_AGAIN_SECONDS
# A write may be refused as well, as NOT_ENOUGH_REPLICAS, while the broker verifies that its
# transaction is under way. aiokafka tries again after 100 ms.
RETRY_MS: Final = 10


def transactional_producer(*, bootstrap: str, transactional_id: str) -> AIOKafkaProducer:
    """A producer that is not started yet: its start fences whoever had the id before."""
    return AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        transactional_id=transactional_id,
        acks="all",
        max_batch_size=MAX_BATCH_OCTETS,
        retry_backoff_ms=RETRY_MS,
        transaction_timeout_ms=TRANSACTION_TIMEOUT_MS,
    )
