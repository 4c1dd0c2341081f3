"""Writes saved records into new topics, at their offsets."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from pipeline.cli.ask.waiting import ProgressDeadline
from pipeline.cli.backup.places import (
    Stretch,
    first_place,
    keeps_offsets,
    new_end,
    stretches_of,
    without_gaps,
)
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka.client.transactional_producer import MAX_BATCH_OCTETS
from pipeline.kafka.login.options import aiokafka_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from aiokafka.producer.message_accumulator import BatchBuilder

    from pipeline.cli.backup.manifest import SavedPartition
    from pipeline.cli.backup.record_file import SavedRecord

_WRITING: Final[dict[str, Any]] = {"acks": "all", "max_batch_size": MAX_BATCH_OCTETS}
#: The most in a batch of what stands in place of records that are not saved; nobody reads it.
_FILLERS: Final = 100_000
_PATIENCE_SECONDS: Final = 60
_ASK_AGAIN_SECONDS: Final = 0.002


class Filler:
    """Fills the partitions of one topic. Enter it before it is used."""

    def __init__(self, bootstrap: str, topic: str, *, is_split: bool) -> None:
        self._topic = topic
        self._is_split = is_split
        self._keeps_offsets = keeps_offsets(topic, is_split=is_split)
        self._records = AIOKafkaProducer(
            **aiokafka_options(bootstrap), **_WRITING, enable_idempotence=True
        )
        self._fillers = AIOKafkaProducer(
            **aiokafka_options(bootstrap),
            **_WRITING,
            enable_idempotence=True,
            compression_type="gzip",
        )
        self._gaps = (
            AIOKafkaProducer(
                **aiokafka_options(bootstrap),
                **_WRITING,
                transactional_id=f"twoway-restore-{topic}",
            )
            if self._keeps_offsets
            else None
        )
        self._ends = AIOKafkaConsumer(**aiokafka_options(bootstrap), enable_auto_commit=False)
        self._one_gap = asyncio.Lock()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Filler:
        """Connect."""
        clients = [self._records, self._fillers, self._ends, self._gaps]
        async with AsyncExitStack() as opening:
            for client in filter(None, clients):
                opening.push_async_callback(client.stop)
            for client in filter(None, clients):
                await client.start()
            self._stack = opening.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection."""
        await self._stack.aclose()

    async def fill(
        self, partition: int, saved: SavedPartition, records: Iterable[SavedRecord]
    ) -> None:
        """Write the records of a partition."""
        at = TopicPartition(self._topic, partition)
        seen = saved.seen
        end = new_end(self._topic, end=saved.end, records=seen.records)
        place = first_place(
            self._topic,
            first=seen.first,
            end=saved.end,
            records=seen.records,
            is_split=self._is_split,
        )
        await self._fill_up(at, place)
        plan = stretches_of(records, end=end) if self._keeps_offsets else without_gaps(records)
        for stretch in plan:
            await self._write(at, stretch, place)
            place += len(stretch.records) + stretch.gap
            if stretch.gap:
                await self._reach(at, place)

    async def _fill_up(self, at: TopicPartition, count: int) -> None:
        """Fill the offsets below `count`, which are deleted afterwards."""
        for batch in _filling(self._fillers, count):
            await (await self._fillers.send_batch(batch, at.topic, partition=at.partition))

    async def _write(self, at: TopicPartition, stretch: Stretch, place: int) -> None:
        """Write records, and let the offsets of the gap after them go by.

        The marker of a transaction takes an offset. One such offset is that of the records' own
        transaction; of more, an aborted transaction has the others.
        """
        gaps = self._gaps
        if gaps is None or not stretch.gap:
            await _send(self._records, at, stretch.records, place)
            return
        if stretch.gap > 1:
            await _send(self._records, at, stretch.records, place)
        async with self._one_gap:
            await gaps.begin_transaction()
            if stretch.gap == 1:
                await _send(gaps, at, stretch.records, place)
                await gaps.commit_transaction()
                return
            for batch in _filling(gaps, stretch.gap - 1):
                await (await gaps.send_batch(batch, at.topic, partition=at.partition))
            await gaps.abort_transaction()

    async def _reach(self, at: TopicPartition, place: int) -> None:
        """Wait until the marker of a transaction is written: it comes a little later."""
        patience = ProgressDeadline(seconds=_PATIENCE_SECONDS)
        while (end := (await self._ends.end_offsets([at]))[at]) < place:
            if patience.is_over():
                raise CommandError(f"{at.topic} ends at {end}, not at {place}")
            await asyncio.sleep(_ASK_AGAIN_SECONDS)


async def _send(
    producer: AIOKafkaProducer, at: TopicPartition, records: list[SavedRecord], place: int
) -> None:
    """Write records from the offset `place` on; raises `CommandError` if they come to stand
    elsewhere.
    """
    sent: list[tuple[asyncio.Future[Any], int]] = []
    for batch in _batches(producer, records):
        sent.append((await producer.send_batch(batch, at.topic, partition=at.partition), place))
        place += batch.record_count()
    for future, expected in sent:
        found = (await future).offset
        if found != expected:
            raise CommandError(
                f"records of {at.topic} are at {found} and not at {expected}: another program"
                " writes there"
            )


def _batches(producer: AIOKafkaProducer, records: Iterable[SavedRecord]) -> Iterator[BatchBuilder]:
    batch: BatchBuilder | None = None
    for record in records:
        if batch is not None and _append(batch, record):
            continue
        if batch is not None:
            yield batch
        batch = producer.create_batch()
        _append(batch, record)  # the first always fits
    if batch is not None:
        batch.close()
        yield batch


def _append(batch: BatchBuilder, record: SavedRecord) -> bool:
    appended = batch.append(
        timestamp=record.timestamp, key=record.key, value=record.value, headers=record.headers
    )
    return appended is not None  # a batch that is full is closed


def _filling(producer: AIOKafkaProducer, count: int) -> Iterator[BatchBuilder]:
    while count > 0:
        batch = producer.create_batch()
        held = 0
        while held < min(count, _FILLERS) and batch.append(timestamp=0, key=b"", value=None):
            held += 1
        batch.close()
        count -= held
        yield batch
