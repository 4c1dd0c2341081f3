"""Records as whole batches of aiokafka's producer: an await per record is what its `send` costs.

For rows that are all there. Ingest fills a batch while the one before it is under way, and answers
each record by itself: `ingest/publish/lanes.py` (deploy/decisions/0082).
"""

from __future__ import annotations

from itertools import chain, repeat
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aiokafka import AIOKafkaProducer
    from aiokafka.producer.message_accumulator import BatchBuilder

    from pipeline.process.tracing import Headers

#: A record without headers has this list, which nobody changes.
_NONE: Final[Headers] = []


def batches_of(
    producer: AIOKafkaProducer,
    rows: Iterable[tuple[bytes | None, bytes | None]],
    headers: Iterable[Headers] = (),
) -> Iterator[BatchBuilder]:
    """The rows, keys and values, in their order; each batch is closed and has a record at least.

    `headers` has those of the first rows, in the same order; the others have none.

    The first record of a batch always fits: whether it is too large, the broker says.
    """
    batch: BatchBuilder | None = None
    for (key, value), of_row in zip(rows, chain(headers, repeat(_NONE)), strict=False):
        if batch is not None:
            added = batch.append(key=key, value=value, timestamp=None, headers=of_row)
            if added is not None:
                continue
        if batch is not None:
            batch.close()
            yield batch
        batch = producer.create_batch()
        batch.append(key=key, value=value, timestamp=None, headers=of_row)
    if batch is not None:
        batch.close()
        yield batch
