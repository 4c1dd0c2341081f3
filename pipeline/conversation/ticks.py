"""Time enters the pipeline: once a second, a tick on `clock` for every partition owned."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.records import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeline.clock import PipelineClock

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0


async def tick(
    *, bootstrap: str, clock: PipelineClock, partitions: Callable[[], Iterable[int]]
) -> None:
    """Publish ticks until cancelled. One that fails is said, not made up for: the next is near."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            value = single_object.encode(Clock(time=clock.now(), origin="worker"))
            sent = [
                await producer.send(topics.CLOCK, value, partition=partition)
                for partition in partitions()
            ]
            try:
                await asyncio.gather(*sent)
            except KafkaError as error:
                log.warning("tick not published, %s: %s", type(error).__name__, error)
    finally:
        await producer.stop()
