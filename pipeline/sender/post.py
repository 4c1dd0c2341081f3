"""What a sender writes: asks, and what it saw. Nothing is given up before Kafka has it."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.process.backoff import Backoff
from pipeline.sms.msisdn import key_from_handset

if TYPE_CHECKING:
    from pipeline.records import MtAsk, MtResult

log = logging.getLogger("twoway.sender")

REQUEST_TIMEOUT_MS: Final = 5_000
BACKOFF_SECONDS: Final = (0.1, 5.0)


class Post(Protocol):
    """Where asks and results go."""

    async def ask(self, ask: MtAsk) -> None:
        """Write an ask; returns once every in-sync replica has it."""

    async def tell(self, result: MtResult) -> None:
        """Write a result; returns once every in-sync replica has it."""

    @property
    def is_reachable(self) -> bool:
        """Whether what was written last was acknowledged at the first attempt."""


class KafkaPost:
    """One idempotent producer, replaced when it fails; tries until it is acknowledged."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: Any = None
        self._making = asyncio.Lock()
        self._failing = 0

    @property
    def is_reachable(self) -> bool:
        """Whether what was written last was acknowledged at the first attempt."""
        return not self._failing

    async def ask(self, ask: MtAsk) -> None:
        """Write an ask; returns once every in-sync replica has it."""
        await self._send(topics.MT_ASK, ask.handset, single_object.encode(ask))

    async def tell(self, result: MtResult) -> None:
        """Write a result; returns once every in-sync replica has it."""
        await self._send(topics.MT_RESULT, result.handset, single_object.encode(result))

    async def stop(self) -> None:
        """Let go of the connection."""
        if self._producer is not None:
            await self._producer.stop()

    async def _send(self, topic: str, handset: str, value: bytes) -> None:
        backoff = Backoff(*BACKOFF_SECONDS)
        is_failing = False
        try:
            while True:
                producer = None
                try:
                    producer = await self._ready_producer()
                    await producer.send_and_wait(topic, value, key=key_from_handset(handset))
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
                    bootstrap_servers=self._bootstrap,
                    acks="all",
                    enable_idempotence=True,
                    request_timeout_ms=REQUEST_TIMEOUT_MS,
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
