"""Feeds the status index: reads the MT topics from a day ago to their end, and on from there."""

from __future__ import annotations

import asyncio
import logging
from time import time
from typing import TYPE_CHECKING, Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from ingest.http.mt.status import IDS, StatusIndex
from pipeline.avro.single_object import Unreadable, decode
from pipeline.kafka.client.paced_consumer import PacedConsumer
from pipeline.kafka.login.options import serving_options
from pipeline.kafka.readers import TAILED
from pipeline.kafka.topics import MT_RESULT, MT_STATE
from pipeline.process.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aiokafka.structs import ConsumerRecord

log = logging.getLogger("twoway.ingest")

RECORDS_A_COMMAND: Final = {MT_RESULT: 2, MT_STATE: 6}  # of the others there is one
WINDOW_SECONDS: Final = 24 * 3600
FETCH_GAP_SECONDS: Final = 0.2  # people and slow loops ask for a status, so this is soon enough
RECORDS_AT_ONCE: Final = 100  # decoding them blocks the event loop for about 1 ms
BACKOFF_SECONDS: Final = (0.5, 10.0)


class Tail:
    """One consumer without a group: every ingest process reads all partitions."""

    def __init__(
        self,
        index: StatusIndex,
        bootstrap: Callable[[], str],
        *,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._index = index
        self._bootstrap = bootstrap
        self._task: asyncio.Task[None] | None = None
        self._ends: dict[TopicPartition, int] = {}
        self.is_caught_up = False
        self.is_reading = False
        self._pause = pause

    def start(self) -> None:
        """Read in the background; a failure starts it again."""
        self._task = asyncio.get_running_loop().create_task(self._keep_reading())

    async def stop(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _keep_reading(self) -> None:
        backoff = Backoff(*BACKOFF_SECONDS)
        while True:
            self.is_reading = False
            try:
                await self._read()
            except Exception as error:  # no broker, no stack, no topics yet: there may be later
                log.debug("the status index waits for Kafka: %r", error)
            if self.is_reading:  # it read before, so this is a new failure
                backoff.succeeded()
            await self._pause(backoff.failed())

    async def _read(self) -> None:
        consumer = PacedConsumer(
            gap_seconds=lambda: FETCH_GAP_SECONDS,
            **serving_options(self._bootstrap()),
            client_id="twoway-ingest-status",
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="latest",
            max_partition_fetch_bytes=256 * 1024,
        )
        try:
            await consumer.start()
            await self._seek(consumer)
            while True:
                batches = await consumer.getmany(timeout_ms=500, max_records=RECORDS_AT_ONCE)
                self.is_reading = True
                for records in batches.values():
                    for record in records:
                        self._take(record)
                await self._check_caught_up(consumer)
        finally:
            await consumer.stop()

    async def _seek(self, consumer: PacedConsumer) -> None:
        """Go to a day ago, but to no more records before the end than the index can keep."""
        cluster = await consumer._client.fetch_all_metadata()  # noqa: SLF001 - as `topics()` does
        partitions = [
            TopicPartition(topic, number)
            for topic in TAILED
            for number in sorted(cluster.partitions_for_topic(topic) or ())
        ]
        if {partition.topic for partition in partitions} != set(TAILED):
            raise KafkaError("the topics are not there yet")
        consumer.assign(partitions)
        since = int((time() - WINDOW_SECONDS) * 1000)
        by_time = await consumer.offsets_for_times(dict.fromkeys(partitions, since))
        self._ends = await consumer.end_offsets(partitions)
        each = IDS * len(TAILED) // len(partitions)
        for partition, end in self._ends.items():
            found = by_time.get(partition)
            kept = each * RECORDS_A_COMMAND.get(partition.topic, 1)
            consumer.seek(partition, max(found.offset, end - kept) if found else end)

    async def _check_caught_up(self, consumer: PacedConsumer) -> None:
        while self._ends and not self.is_caught_up:
            partition, end = next(iter(self._ends.items()))
            if await consumer.position(partition) < end:
                return
            del self._ends[partition]
        self.is_caught_up = True

    def _take(self, taken: ConsumerRecord) -> None:
        octets = taken.value or b""
        try:
            record = decode(octets)
        except Unreadable as error:
            log.warning("a record of the status topics cannot be read: %s", error)
            return
        self._index.enter(record, octets, offset=taken.offset)
