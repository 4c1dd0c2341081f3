"""Reads the topics of erasures from Kafka, without a consumer group."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from pipeline.kafka import topics
from pipeline.kafka.client.answers import bound_answers
from pipeline.kafka.client.limits import MOST_FETCHED_OCTETS
from pipeline.kafka.login.options import serving_options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aiokafka.structs import ConsumerRecord

_POLL_MS: Final = 200
_ORDER_MS: Final = 5_000


class KafkaErasureTopics:
    """Reads with a new consumer each time, because erasures are rare."""

    def __init__(self, bootstrap: str, *, stored: Sequence[str], partitions: int) -> None:
        self._bootstrap = bootstrap
        self._stored = stored
        self._partitions = partitions

    async def erasures(self) -> list[ConsumerRecord]:
        """Every record that the topic `erasure` has now."""
        async with self._consumer() as consumer:
            partitions = self._of([topics.ERASURE])
            ends = await consumer.end_offsets(partitions)
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            found: list[ConsumerRecord] = []
            while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
                for records in (await consumer.getmany(timeout_ms=_POLL_MS)).values():
                    found += records
        return found

    async def order(self, partition: int, offset: int) -> ConsumerRecord | None:
        """The record of forget-request at this offset; None if Kafka no longer has it."""
        tp = TopicPartition(topics.FORGET_REQUEST, partition)
        async with self._consumer() as consumer:
            if (await consumer.beginning_offsets([tp]))[tp] > offset:
                return None
            consumer.assign([tp])
            consumer.seek(tp, offset)
            for records in (await consumer.getmany(timeout_ms=_ORDER_MS, max_records=1)).values():
                return next((record for record in records if record.offset == offset), None)
        return None

    async def offsets_after(self, at_ms: int) -> dict[tuple[str, int], int]:
        """For every partition that is stored, the first offset written after a time."""
        async with self._consumer() as consumer:
            partitions = self._of(self._stored)
            ends = await consumer.end_offsets(partitions)
            after = await consumer.offsets_for_times(dict.fromkeys(partitions, at_ms + 1))
        return {
            (tp.topic, tp.partition): found.offset if (found := after.get(tp)) else ends[tp]
            for tp in partitions
        }

    def _of(self, names: Sequence[str]) -> list[TopicPartition]:
        return [TopicPartition(name, n) for name in names for n in range(self._partitions)]

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            **serving_options(self._bootstrap),
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            fetch_max_bytes=MOST_FETCHED_OCTETS,
        )
        bound_answers(consumer._client)  # noqa: SLF001 - there is no other way in
        await consumer.start()
        try:
            yield consumer
        finally:
            await consumer.stop()
