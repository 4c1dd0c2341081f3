"""A producer that does not give up: a record is written once every in-sync replica has it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.kafka.login.options import serving_options
from pipeline.process.backoff import Backoff
from pipeline.process.tracing import carried

log = logging.getLogger("twoway.producer")

REQUEST_TIMEOUT_MS: Final = 5_000
BACKOFF_SECONDS: Final = (0.1, 5.0)


class LastingProducer:
    """One idempotent producer, replaced when it fails; tries until it is acknowledged."""

    def __init__(self, bootstrap: str, *, linger_ms: int = 0) -> None:
        """`linger_ms`: how long a record may wait for others, so that one request has several."""
        self._bootstrap = bootstrap
        self._linger_ms = linger_ms
        self._producer: Any = None
        self._making = asyncio.Lock()
        self._failing = 0

    @property
    def is_reachable(self) -> bool:
        """Whether what was written last was acknowledged at the first attempt."""
        return not self._failing

    async def stop(self) -> None:
        """Let go of the connection."""
        if self._producer is not None:
            await self._producer.stop()

    async def send(self, topic: str, key: bytes, value: bytes) -> None:
        """Write a record; returns once every in-sync replica has it."""
        backoff = Backoff(*BACKOFF_SECONDS)
        is_failing = False
        try:
            while True:
                producer = None
                try:
                    producer = await self._ready_producer()
                    await producer.send_and_wait(topic, value, key=key, headers=carried())
                    return
                except KafkaError as error:
                    if not is_failing:
                        is_failing = True
                        self._failing += 1
                        log.warning("%s is not written, again: %s", topic, type(error).__name__)
                    await self._let_go(producer)
                    await asyncio.sleep(backoff.failed())
        finally:
            self._failing -= is_failing

    async def _ready_producer(self) -> AIOKafkaProducer:
        async with self._making:
            if self._producer is None:
                producer = AIOKafkaProducer(
                    **serving_options(self._bootstrap),
                    acks="all",
                    enable_idempotence=True,
                    request_timeout_ms=REQUEST_TIMEOUT_MS,
                    linger_ms=self._linger_ms,
                )
                try:
                    await producer.start()
                except KafkaError:
                    await producer.stop()
                    raise
                self._producer = producer
            return self._producer

    async def _let_go(self, producer: Any) -> None:
        """Begin anew: a producer that gave up on a record takes no other one."""
        async with self._making:
            if producer is None or producer is not self._producer:
                return
            self._producer = None
            try:
                await producer.stop()
            except KafkaError as error:
                log.warning("a producer did not end well: %s", type(error).__name__)
