"""Publishes a tick on `clock` once a second, for every partition that the worker owns."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.avro import single_object
from pipeline.engine import metrics
from pipeline.engine.bounded_times import MOST_AHEAD
from pipeline.kafka import topics
from pipeline.kafka.client.answers import bound_answers
from pipeline.kafka.login.options import serving_options
from pipeline.records import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeline.clock import PipelineClock

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0


class AheadOfBroker:
    """Corrects ticks of a host whose clock is wrong, by the broker's timestamps of earlier ticks.

    Such a host ticks by the broker's time, and not by its own clock.
    """

    def __init__(self) -> None:
        self._ahead = timedelta()

    def corrected(self, time: datetime) -> datetime:
        """The time for the next tick."""
        return time - self._ahead

    def learn(self, now: datetime, stamped_ms: int) -> None:
        """Compare the host's time of a tick with the broker's; a small difference is ignored."""
        ahead = now - datetime.fromtimestamp(stamped_ms / 1000, UTC)
        is_wrong = abs(ahead) > MOST_AHEAD
        metrics.CLOCK_AHEAD.set(ahead.total_seconds())
        if is_wrong and not self._ahead:
            log.error(
                "the clock of this host is %.0f s ahead of the broker's: ticks use the broker's",
                ahead.total_seconds(),
            )
        self._ahead = ahead if is_wrong else timedelta()


async def tick(
    *, bootstrap: str, clock: PipelineClock, partitions: Callable[[], Iterable[int]]
) -> None:
    """Publish ticks until cancelled. A failed tick is logged and not repeated."""
    producer = AIOKafkaProducer(**serving_options(bootstrap), acks="all", enable_idempotence=True)
    bound_answers(producer.client)
    await producer.start()
    ahead = AheadOfBroker()
    try:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            now = clock.now()
            value = single_object.encode(Clock(time=ahead.corrected(now), origin="worker"))
            sent = [
                await producer.send(topics.CLOCK, value, partition=partition)
                for partition in partitions()
            ]
            try:
                stamped = [each.timestamp for each in await asyncio.gather(*sent)]
                if stamped:
                    ahead.learn(now - clock.offset(), stamped[0])
            except KafkaError as error:
                log.warning("tick not published, %s: %s", type(error).__name__, error)
    finally:
        await producer.stop()
