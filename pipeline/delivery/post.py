"""Writes the results of attempts to Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.kafka.lasting_producer import LastingProducer
from pipeline.sms.msisdn import key_from_handset

if TYPE_CHECKING:
    from pipeline.records import MoDeliveryResult


#: A result delays nobody but the next of its path's window.
LINGER_MS: Final = 5


class KafkaResultPost:
    """Writes each result again until Kafka acknowledges it."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = LastingProducer(bootstrap, linger_ms=LINGER_MS)

    @property
    def is_reachable(self) -> bool:
        """Whether Kafka acknowledged the last write at the first attempt."""
        return self._producer.is_reachable

    async def tell(self, result: MoDeliveryResult) -> None:
        """Write a result; returns once every in-sync replica has it."""
        key = key_from_handset(result.handset)
        await self._producer.send(topics.MO_DELIVERY_RESULT, key, single_object.encode(result))

    async def stop(self) -> None:
        """Close the connection."""
        await self._producer.stop()
