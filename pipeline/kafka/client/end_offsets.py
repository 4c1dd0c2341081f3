"""Asks brokers for end offsets, over connections of its own.

A broker answers the requests of one connection one after another. Behind a fetch that waits for
records, a question would wait as long as the fetch does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiokafka import AIOKafkaConsumer
    from aiokafka.structs import TopicPartition


class Ends:
    """End offsets, by a consumer that never fetches; `make` makes it, read_committed."""

    def __init__(self, make: Callable[[], AIOKafkaConsumer]) -> None:
        self._make = make
        self._starting = asyncio.Lock()
        self._asker: AIOKafkaConsumer | None = None

    async def read(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """Last stable offset of each partition, asked of its leader now."""
        asker = await self._started()
        return await asker.end_offsets(list(partitions))  # type: ignore[no-any-return] # untyped in aiokafka

    async def _started(self) -> AIOKafkaConsumer:
        async with self._starting:
            if self._asker is None:
                asker = self._make()
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
