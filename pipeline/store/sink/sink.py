"""Writes batches of records to ClickHouse, each event once.

A block takes three steps. Its bounds are committed as metadata of the unchanged offsets. Its rows
are inserted under a token, the hash of the bounds. The new offsets are committed. If the process is
killed in between, the next owner of the partitions forms the same block first, and ClickHouse drops
the insert if it has the token already.
"""

from __future__ import annotations

import asyncio
import logging
import time
from functools import partial
from typing import TYPE_CHECKING

from pipeline.kafka import topics
from pipeline.process import troubles
from pipeline.process.log_guard import words_for_log
from pipeline.store import metrics
from pipeline.store.decoding import KIND_OF, Decoder, TableRows
from pipeline.store.erasure.apply import Erasures, Gate
from pipeline.store.forgotten import Forgotten
from pipeline.store.sink.lane import BlockLimits, Lane
from pipeline.store.sink.positions import starts_of, unfinished
from pipeline.store.sink.refusals import insert_all_but_refused, insert_letters
from pipeline.store.sink.retries import CLICKHOUSE, GIVE_UP_SECONDS, KAFKA, Retries, SinkFailed
from pipeline.store.sink.tallies import Tallies
from pipeline.wrong_deploy import WrongDeploy

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from pipeline.store.clickhouse.writer import Writer
    from pipeline.store.rows import Row
    from pipeline.store.sink.block import Block
    from pipeline.store.sink.lane import PolledBatch
    from pipeline.store.sink.positions import Offsets, Partition

log = logging.getLogger(__name__)


class Sink:
    """Takes batches of the topics, and stores them.

    `start` once, then for each assignment `assigned` with all partitions that are now ours; it
    gives the offsets to read from, and the batches that `add` gets must begin there. `revoked`
    drops what is not stored. `wait_for_failure` ends when the sink cannot go on, by raising why.
    """

    def __init__(
        self,
        *,
        writer: Writer,
        limits: BlockLimits,
        give_up_seconds: float = GIVE_UP_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        stored: Callable[[str, int], None] = lambda _, __: None,
    ) -> None:
        """`stored` is told of each block that can be asked for: its topic, and how many records."""
        self._stored = stored
        self._writer = writer
        self._clock = clock
        self._retries = Retries(give_up_seconds=give_up_seconds, clock=clock)
        self._lanes = {topic: Lane(topic, limits) for topic in KIND_OF}
        self._arrived = {topic: asyncio.Event() for topic in KIND_OF}
        self._written = {topic: asyncio.Event() for topic in KIND_OF}
        self._offsets: Offsets | None = None
        self._erasures: Erasures | None = None
        self._gate = Gate()
        self._tallies = Tallies()
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: BaseException | None = None
        self._failing = asyncio.Event()
        self._waits: dict[str, str] = {}

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics that are stored."""
        return tuple(self._lanes)

    @property
    def writer(self) -> Writer:
        """The writer that inserts the blocks."""
        return self._writer

    @property
    def ready(self) -> bool:
        """Whether the sink has partitions, nothing has failed, and no topic waits."""
        return bool(self._tasks) and self._failure is None and not self.waits_for

    @property
    def waits_for(self) -> str:
        """The topics that are not stored, and why; empty if all are."""
        waits = [f"{topic} waits: {words}" for topic, words in sorted(self._waits.items())]
        return "; ".join(filter(None, [*waits, self._retries.failing]))

    def start(self, offsets: Offsets, erasures: Erasures | None = None) -> None:
        """Set the offsets to commit to, and the erasures to respect."""
        self._offsets = offsets
        self._erasures = erasures

    async def assigned(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """Own exactly these partitions from now on; returns the offsets from which to read."""
        await self.revoked()
        if self._erasures is not None:
            await self._retries.done(KAFKA, self._erasures.load)
        ours = [partition for partition in partitions if partition[0] in self._lanes]
        committed = await self._retries.done(KAFKA, lambda: self._port.committed(ours))
        beginnings = await self._retries.done(KAFKA, lambda: self._port.beginnings(ours))
        positions = {tp: committed.get(tp, (beginnings[tp], "")) for tp in ours}
        starts = starts_of(positions, beginnings)
        for topic, lane in self._lanes.items():
            offsets = {p: start for (t, p), start in starts.items() if t == topic}
            metadata = {p: positions[topic, p][1] for p in offsets}
            lane.assign(offsets, unfinished(topic, offsets, metadata))
            if offsets:
                self._tasks.append(asyncio.create_task(self._store(lane), name=f"store {topic}"))
        return starts

    async def revoked(self) -> None:
        """Own no partition any more: records that are not stored are dropped, not committed."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._retries.forget_failures(KAFKA, CLICKHOUSE)
        if self._waits:
            for topic in self._waits:
                metrics.WAITS.labels(topic).set(0)
            self._waits.clear()
            troubles.tell_waits(self._waits)
        for lane in self._lanes.values():
            lane.assign({}, ())

    def has_room(self, topic: str, partition: int) -> bool:
        """Whether more of the partition may be read now."""
        return self._lanes[topic].has_room(partition)

    async def add(self, batch: PolledBatch) -> None:
        """Take a batch in; waits while its topic has no room. Raises `SinkFailed` once it failed.

        A caller that asks `has_room` before it reads never lets one topic wait for another.
        """
        lane = self._lanes[batch.topic]
        lane.add(batch, now=self._clock())
        metrics.OPEN_ROWS.labels(batch.topic).set(lane.rows)
        self._arrived[batch.topic].set()
        while self._failure is None and lane.is_full:
            self._written[batch.topic].clear()
            await self._written[batch.topic].wait()
        if self._failure is not None:
            raise SinkFailed(f"the store has failed: {self._failure}") from self._failure

    async def wait_for_failure(self) -> None:
        """Waits for the sink to fail, and raises `SinkFailed`."""
        await self._failing.wait()
        raise SinkFailed(f"the store has failed: {self._failure}") from self._failure

    @property
    def _port(self) -> Offsets:
        if self._offsets is None:
            raise RuntimeError("start() comes before assigned()")
        return self._offsets

    async def _store(self, lane: Lane) -> None:
        """Store one topic's blocks until cancelled; `add` and `wait_for_failure` raise a fault."""
        forgotten = self._erasures.forgotten if self._erasures else Forgotten()
        decoder = Decoder(lane.topic, forgotten)
        try:
            while True:
                block = await self._next_block(lane)
                await self._write(block, decoder)
                metrics.OPEN_ROWS.labels(lane.topic).set(lane.rows)
                self._written[lane.topic].set()
        except WrongDeploy as error:
            self._wait(lane.topic, error)
            await asyncio.Event().wait()
        except Exception as error:
            log.critical("the store cannot go on: %s", words_for_log(error))
            self._failure = error
            self._failing.set()
            for event in self._written.values():
                event.set()

    def _wait(self, topic: str, error: WrongDeploy) -> None:
        """Stop storing a topic and report why. A restart would meet the same records."""
        words = words_for_log(error)
        log.critical("%s waits, the others go on: %s", topic, words)
        metrics.WAITS.labels(topic).set(1)
        self._waits[topic] = words
        troubles.tell_waits(self._waits)

    async def _next_block(self, lane: Lane) -> Block:
        arrived = self._arrived[lane.topic]
        while True:
            arrived.clear()
            block = lane.next_block(now=self._clock())
            if block is not None:
                return block
            due_at = lane.due_at()
            wait = None if due_at is None else max(0.0, due_at - self._clock())
            try:
                await asyncio.wait_for(arrived.wait(), wait)
            except TimeoutError:
                continue

    async def _write(self, block: Block, decoder: Decoder) -> None:
        if self._erasures is not None and block.topic == topics.ERASURE:
            async with self._gate.erasing():
                for record in block.records:
                    await self._retries.done(CLICKHOUSE, partial(self._erasures.apply, record))
        async with self._gate.writing():
            await self._write_rows(block, decoder)

    async def _write_rows(self, block: Block, decoder: Decoder) -> None:
        if block.records:
            tables = await asyncio.to_thread(decoder.tables, block.records)
            await self._retries.done(KAFKA, lambda: self._port.commit(block.offsets_before()))
            await self._insert_letters(tables[1], block.token)
            refused = await self._insert(tables[0], block.token)
            if refused:
                letters = decoder.letters(block.records, refused)
                await self._insert_letters(letters, f"{block.token}-refused")
                log.warning(
                    "%s: ClickHouse refuses %d rows, now dead letters, the first [%d]@%d: %s",
                    block.topic, len(refused), *refused[0][0][-2:], words_for_log(refused[0][1]),
                )  # fmt: skip
            metrics.UNREADABLE.labels(block.topic).inc(len(tables[1].rows) + len(refused))
            self._tallies.count_rows(tables[0])
        await self._retries.done(KAFKA, lambda: self._port.commit(block.offsets_after()))
        self._tallies.count_block(block.topic, block.records)
        if block.records:
            self._stored(block.topic, len(block.records))

    async def _insert(self, table: TableRows, tag: str) -> list[tuple[Row, BaseException]]:
        """Insert the rows; returns those that are refused for their values, with the error."""
        if not table.rows:
            return []

        async def insert(rows: TableRows, *, tag: str) -> None:
            await self._retries.done(CLICKHOUSE, lambda: self._writer.insert(rows, tag=tag))

        return await insert_all_but_refused(table, tag=tag, insert=insert)

    async def _insert_letters(self, table: TableRows, tag: str) -> None:
        if table.rows:
            insert = self._writer.insert
            attempt = partial(insert_letters, table, tag=tag, insert=insert)
            await self._retries.done(CLICKHOUSE, attempt)
