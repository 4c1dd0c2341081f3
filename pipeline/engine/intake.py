"""Puts the records of one partition's topics into the one order in which they may be taken.

The order is broker time, then topic rank, then offset. A record is taken only when no topic can
still bring an earlier record. So a replay of the same topics gives the same order, and an MT
request is judged only after every MO that was acknowledged before it.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

from pipeline.wrong_deploy import NeedsOperator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.batch import Batch

ROOM_RECORDS: Final = 8_000
ROOM_OCTETS: Final = 16 << 20


class Gap(NeedsOperator):
    """Records are missing between two batches: deleted unread, or the transport is wrong."""


class _Queue:
    """The records of one topic that were fetched and are not taken yet."""

    def __init__(self, topic: str) -> None:
        self.topic = topic
        self.records: deque[ConsumerRecord] = deque()
        self.octets = 0  # of the records' values
        self.floor = 0  # records below this offset are done
        self.first_start: int | None = None  # where the first batch began
        self.read_to: int | None = None  # the consumer's position

    def drop_fetched(self) -> None:
        """As new: the consumer begins anew, wherever that is."""
        self.records.clear()
        self.octets = self.floor = 0
        self.first_start = self.read_to = None

    def add(self, batch: Batch) -> int | None:
        """Add a batch; if there is a gap before it, return the offset at which it should begin."""
        expected = self.read_to if self.read_to is not None else self.first_start
        if self.first_start is None:
            self.first_start = batch.start
        floor = max(self.floor, self.read_to or 0)
        added = [record for record in batch.records if record.offset >= floor]
        self.records.extend(added)
        self.octets += octets_of(added)
        self.read_to = max(batch.end, self.read_to or 0)
        return expected if expected is not None and batch.start > expected else None

    @property
    def position(self) -> int:
        """The offset below which every record is fetched or done."""
        return max(self.read_to or 0, self.floor)

    @property
    def next_offset(self) -> int | None:
        """Where to read on when every record taken is done; None if nothing is known."""
        if self.records:
            return int(self.records[0].offset)
        return self.position if self.read_to is not None or self.floor else None


class Intake:
    """The queues of one partition. `topics` is in rank order: at the same time, the first wins."""

    def __init__(
        self,
        *,
        topics: Sequence[str],
        ends: Callable[[], Awaitable[Mapping[str, int]]],
        may_skip: frozenset[str] = frozenset(),
    ) -> None:
        self._rank = {topic: rank for rank, topic in enumerate(topics)}
        self._queues = {topic: _Queue(topic) for topic in topics}
        self._ends = ends
        self._may_skip = may_skip
        self._ready: deque[ConsumerRecord] = deque()
        self._ready_of: Counter[str] = Counter()  # how many of each topic
        self._arrived = asyncio.Event()
        self._known_ends: Mapping[str, int] = {}

    def add(self, batch: Batch) -> None:
        """Add the batch of a poll; raises `Gap` if records are missing before it."""
        expected = self._queues[batch.topic].add(batch)
        if expected is not None and batch.topic not in self._may_skip:
            raise Gap(
                f"{batch.topic}[{batch.partition}] goes on at {batch.start}, not at {expected}: "
                "records were deleted before they were read"
            )
        self._arrived.set()

    def drop_fetched(self) -> None:
        """Drop what is held: the partition is given up, or the consumer begins anew."""
        self._ready.clear()
        self._ready_of.clear()
        for queue in self._queues.values():
            queue.drop_fetched()

    def begin_at(self, offsets: Mapping[str, int]) -> None:
        """Drop records below these next offsets; raises `Gap` if the records begin above them."""
        for topic, queue in self._queues.items():
            floor = offsets.get(topic)
            if floor is None:
                continue
            held_from = queue.first_start
            if held_from is not None and held_from > floor and topic not in self._may_skip:
                raise Gap(f"{topic} begins at {held_from}, but is done only up to {floor}")
            queue.floor = floor
            queue.first_start = floor if held_from is None else held_from
            queue.records = deque(record for record in queue.records if record.offset >= floor)
            queue.octets = octets_of(queue.records)

    def has_room(self, topic: str) -> bool:
        """Whether more of `topic` may be fetched."""
        queue = self._queues[topic]
        records = queue.records
        if not records or (len(records) < ROOM_RECORDS and queue.octets < ROOM_OCTETS):
            return True
        # All records are of one millisecond: none can be taken before its last record is fetched.
        return bool(records[0].timestamp == records[-1].timestamp)

    def behind(self) -> dict[str, int]:
        """By topic, how many records that the broker had at the last request are not taken yet."""
        taken = self.next_offsets()
        return {
            topic: max(0, self._known_ends.get(topic, 0) - taken.get(topic, 0))
            for topic in self._queues
        }

    def next_offsets(self) -> dict[str, int]:
        """Where to read on, by topic, once every record taken is done."""
        offsets = {
            topic: offset
            for topic, queue in self._queues.items()
            if (offset := queue.next_offset) is not None
        }
        left = {topic for topic, count in self._ready_of.items() if count}
        for record in self._ready if left else ():
            if record.topic in left:
                offsets[record.topic] = record.offset
                left.remove(record.topic)
                if not left:
                    break
        return offsets

    async def arrived(self) -> None:
        """Wait until there is a record, even if it may not be taken yet."""
        while not self._ready and not any(queue.records for queue in self._queues.values()):
            await self._wait()

    async def next_records(self, limit: int) -> list[ConsumerRecord]:
        """Up to `limit` records in order; waits until there is one that may be taken."""
        if not self._ready:
            await self._merge()
        taken = [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]
        self._ready_of.subtract(Counter([record.topic for record in taken]))
        return taken

    async def _merge(self) -> None:
        while True:
            await self.arrived()
            # Also of the first record: it is later than the last if a broker's clock was set back.
            newest = max(
                q.records[at].timestamp
                for q in self._queues.values()
                if q.records
                for at in (0, -1)
            )
            ends = self._known_ends = await self._ends()
            until = await self._until(newest, ends)
            heads = [self._split(queue, until) for queue in self._queues.values()]
            rank = self._rank
            self._ready_of = Counter({head[0].topic: len(head) for head in heads if head})
            # Merged, not sorted, so that the order within a topic stays even then.
            self._ready.extend(
                heapq.merge(*heads, key=lambda r: (r.timestamp, rank[r.topic], r.offset))
            )
            if self._ready:
                return
            await self._wait()

    async def _until(self, newest: int, ends: Mapping[str, int]) -> int:
        """The broker time up to which the records of every topic are known."""
        while True:
            until = newest
            for topic, queue in self._queues.items():
                if queue.position >= ends.get(topic, 0):
                    continue
                if not queue.records:
                    break
                until = min(until, queue.records[-1].timestamp - 1)
            else:
                return until
            await self._wait()

    async def _wait(self) -> None:
        self._arrived.clear()
        await self._arrived.wait()

    @staticmethod
    def _split(queue: _Queue, until: int) -> list[ConsumerRecord]:
        taken = []
        records = queue.records
        while records and records[0].timestamp <= until:
            taken.append(records.popleft())
        queue.octets -= octets_of(taken)
        return taken


def octets_of(records: Iterable[ConsumerRecord]) -> int:
    """The octets of the records' values."""
    return sum([len(record.value or b"") for record in records])
