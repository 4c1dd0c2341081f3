"""A Kafka with one group, and a ClickHouse that knows only tokens; any await may kill them.

`Fakes` behave like the real ones: a commit is whole or not done, a topic with transactions has
offsets without records, and a poll returns any stretch of the available records.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.engine.batch import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from aiokafka.structs import ConsumerRecord

    from pipeline.store.decoding import TableRows
    from pipeline.store.sink.sink import Sink

Partition = tuple[str, int]


class Killed(Exception):
    """The process ends here."""


class Fuse:
    """Kills at the n-th await, before or after its effect; None for never."""

    def __init__(self, burn_at: int | None = None) -> None:
        self.burn_at = burn_at
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        if self.burn_at is not None and self.steps >= self.burn_at:
            raise Killed(f"at await {self.steps}")


@dataclass
class FakeOffsets:
    """Committed offsets that survive the store."""

    fuse: Fuse
    positions: dict[Partition, tuple[int, str]] = field(default_factory=dict)
    first: dict[Partition, int] = field(default_factory=dict)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    async def commit(self, positions: Mapping[Partition, tuple[int, str]]) -> None:
        self.fuse.step()
        await asyncio.sleep(0)
        self.positions |= positions
        self.moved.set()
        self.fuse.step()

    async def committed(
        self, partitions: Collection[Partition]
    ) -> Mapping[Partition, tuple[int, str]]:
        return {tp: self.positions[tp] for tp in partitions if tp in self.positions}

    async def beginnings(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        return {tp: self.first.get(tp, 0) for tp in partitions}


@dataclass
class FakeWriter:
    """Rows by table, in a list: a row that is written twice is there twice."""

    fuse: Fuse
    rows: dict[str, list[tuple[object, ...]]] = field(default_factory=dict)
    tokens: set[tuple[str, str]] = field(default_factory=set)

    async def insert(self, rows: TableRows, *, tag: str) -> None:
        self.fuse.step()
        await asyncio.sleep(0)
        if (rows.table, tag) not in self.tokens:
            self.tokens.add((rows.table, tag))
            self.rows.setdefault(rows.table, []).extend(rows.rows)
        self.fuse.step()

    def places(self, table: str) -> list[tuple[int, int]]:
        """Partition and offset of every row, sorted."""
        return sorted((row[-2], row[-1]) for row in self.rows.get(table, ()))  # type: ignore[misc]


@dataclass
class Log:
    """What Kafka holds: the records of each partition, and its end after the last marker."""

    records: Mapping[Partition, Sequence[ConsumerRecord]]
    ends: Mapping[Partition, int]

    def poll(self, partition: Partition, position: int, count: int) -> Batch:
        """Up to `count` offsets from a position."""
        end = min(self.ends[partition], position + count)
        found = [r for r in self.records[partition] if position <= r.offset < end]
        return Batch(*partition, found, position, end)


async def play(
    sink: Sink,
    log: Log,
    offsets: FakeOffsets,
    *,
    seed: int,
    partitions: Collection[Partition] | None = None,
    stop_when: Callable[[], bool] = lambda: False,
) -> bool:
    """Let the sink read from the committed offsets to the log's end; False if it was killed."""
    dice = random.Random(seed)
    sink.start(offsets)
    ours = sorted(partitions or log.records)
    positions = await sink.assigned(ours)
    failed = asyncio.create_task(sink.wait_for_failure())
    try:
        while not stop_when():
            open_ = [tp for tp in ours if positions[tp] < log.ends[tp] and sink.has_room(*tp)]
            if open_:
                chosen = dice.choice(open_)
                batch = log.poll(chosen, positions[chosen], dice.randint(1, 9))
                positions[chosen] = batch.end
                await sink.add(batch)
                for _ in range(dice.randint(0, 4)):
                    await asyncio.sleep(0)
                continue
            if all(offsets.positions.get(tp, (0, ""))[0] >= log.ends[tp] for tp in ours):
                return True
            offsets.moved.clear()
            moved = asyncio.create_task(offsets.moved.wait())
            await asyncio.wait({moved, failed}, return_when=asyncio.FIRST_COMPLETED)
            moved.cancel()
            if failed.done():
                return False
        return True
    except Exception as error:
        if not sink.ready:
            return False
        raise error
    finally:
        failed.cancel()
        await asyncio.gather(failed, return_exceptions=True)
        await sink.revoked()
