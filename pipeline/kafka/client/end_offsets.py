"""Asks brokers for end offsets, over separate connections.

A broker answers the requests of one connection one after the other. So a request for end offsets
behind a fetch that waits for records would wait too.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pipeline.kafka.client.answers import bound_answers
from pipeline.kafka.client.confirmed_ends import confirmed_ends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiokafka import AIOKafkaConsumer
    from aiokafka.structs import TopicPartition


class Ends:
    """Reads end offsets with a consumer that never fetches; `make` makes it."""

    def __init__(self, make: Callable[[], AIOKafkaConsumer]) -> None:
        self._make = make
        self._starting = asyncio.Lock()
        self._asker: AIOKafkaConsumer | None = None

    async def read(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The end of each partition by the consumer's isolation, from its leader, now."""
        asker = await self._started()
        return await confirmed_ends(asker, partitions)

    async def _started(self) -> AIOKafkaConsumer:
        async with self._starting:
            if self._asker is None:
                asker = self._make()
                bound_answers(asker._client)  # noqa: SLF001 - there is no other way in
                try:
                    await asker.start()
                except BaseException:
                    await asker.stop()
                    raise
                self._asker = asker
            return self._asker

    async def close(self) -> None:
        """Close the connections."""
        asker, self._asker = self._asker, None
        if asker is not None:
            await asker.stop()
