"""Writes asks and results to Kafka, again and again until Kafka has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.kafka.lasting_producer import LastingProducer
from pipeline.sms.msisdn import key_from_handset

if TYPE_CHECKING:
    from pipeline.records import MtAsk, MtResult


class Post(Protocol):
    """Writes asks and results."""

    async def ask(self, ask: MtAsk) -> None:
        """Write an ask; returns once every in-sync replica has it."""

    async def tell(self, result: MtResult) -> None:
        """Write a result; returns once every in-sync replica has it."""

    @property
    def is_reachable(self) -> bool:
        """Whether what was written last was acknowledged at the first attempt."""


class KafkaPost:
    """Writes to Kafka until it is acknowledged."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = LastingProducer(bootstrap)

    @property
    def is_reachable(self) -> bool:
        """Whether what was written last was acknowledged at the first attempt."""
        return self._producer.is_reachable

    async def ask(self, ask: MtAsk) -> None:
        """Write an ask; returns once every in-sync replica has it."""
        key = key_from_handset(ask.handset)
        await self._producer.send(topics.MT_ASK, key, single_object.encode(ask))

    async def tell(self, result: MtResult) -> None:
        """Write a result; returns once every in-sync replica has it."""
        key = key_from_handset(result.handset)
        await self._producer.send(topics.MT_RESULT, key, single_object.encode(result))

    async def stop(self) -> None:
        """Close the connection."""
        await self._producer.stop()
