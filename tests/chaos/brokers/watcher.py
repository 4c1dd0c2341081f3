"""Reads mo-message as an application does, and notes when each message could be read."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

from pipeline.avro import single_object
from pipeline.kafka import topics
from tests.chaos.brokers.recovery import Done

if TYPE_CHECKING:
    from collections.abc import Mapping

REQUEST_TIMEOUT_MS: Final = 2_000  # a broker that does not answer is left for another one


async def watch(bootstrap: str, *, begun: Mapping[str, float], seen: list[Done]) -> None:
    """Append each committed message to `seen`, until cancelled. `begun` is by moMsgId."""
    consumer = AIOKafkaConsumer(
        topics.MO_MESSAGE,
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )
    await consumer.start()
    try:
        while True:
            try:
                batches = await consumer.getmany(timeout_ms=500)
            except KafkaError:
                continue
            now = time.time()
            for tp, records in batches.items():
                for record in records:
                    parts = single_object.decode(record.value).mo_msg_ids
                    seen.append(Done(tp.partition, min(begun[part] for part in parts), now))
    finally:
        await consumer.stop()
