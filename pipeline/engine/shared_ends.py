"""End offsets of a partition's topics; partitions that ask together share one request."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from aiokafka.structs import TopicPartition

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

# An append later than this after a fetch has a later broker time, to the millisecond, than what was
# fetched. Only then is what the end offsets leave out certainly later.
SETTLE_SECONDS: Final = 0.002


class SharedEnds:
    """Asks for the end offsets that the partitions wait for, all of them at once."""

    def __init__(
        self,
        topics: Iterable[str],
        ask: Callable[[list[TopicPartition]], Awaitable[Mapping[TopicPartition, int]]],
    ) -> None:
        self._topics = tuple(topics)
        self._ask = ask
        self._waiting: dict[int, asyncio.Future[Mapping[str, int]]] = {}
        self._asker: asyncio.Task[None] | None = None

    async def read(self, partition: int) -> Mapping[str, int]:
        """End offsets by topic, asked for after the call; raises what asking raises."""
        future = self._waiting.get(partition)
        if future is None:
            future = self._waiting[partition] = asyncio.get_running_loop().create_future()
        if self._asker is None or self._asker.done():
            self._asker = asyncio.create_task(self._ask_for_all())
        return await asyncio.shield(future)

    async def _ask_for_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(SETTLE_SECONDS)
            waiting, self._waiting = self._waiting, {}
            wanted = [TopicPartition(t, p) for p in waiting for t in self._topics]
            try:
                ends = await self._ask(wanted)
            except Exception as error:
                for future in waiting.values():
                    if not future.done():
                        future.set_exception(error)
                continue
            for partition, future in waiting.items():
                if not future.done():
                    future.set_result({t: ends[TopicPartition(t, partition)] for t in self._topics})
