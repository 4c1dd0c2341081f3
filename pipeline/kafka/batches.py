"""Records as whole batches of aiokafka's producer: an await per record is what its `send` costs.

For rows that are all there. Ingest fills a batch while the one before it is under way, and answers
each record by itself: `ingest/publish/lanes.py` (deploy/decisions/0082).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aiokafka import AIOKafkaProducer
    from aiokafka.producer.message_accumulator import BatchBuilder


def batches_of(
    producer: AIOKafkaProducer, rows: Iterable[tuple[bytes | None, bytes | None]]
) -> Iterator[BatchBuilder]:
    """The rows, keys and values, in their order; each batch is closed and has a record at least.

    The first record of a batch always fits: whether it is too large, the broker says.
    """
    batch: BatchBuilder | None = None
    for key, value in rows:
        if batch is not None and batch.append(key=key, value=value, timestamp=None) is not None:
            continue
        if batch is not None:
            batch.close()
            yield batch
        batch = producer.create_batch()
        batch.append(key=key, value=value, timestamp=None)
    if batch is not None:
        batch.close()
        yield batch
