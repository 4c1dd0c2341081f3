"""What a sender reads: commands, from where they were done; and what the worker says, from now on.

One group over both topics, with partitions of the same number together.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import CommitFailedError, KafkaError

from pipeline.avro import single_object
from pipeline.kafka import readers, topics
from pipeline.kafka.client.paced_consumer import PacedConsumer
from pipeline.records import MtCommand, MtState

if TYPE_CHECKING:
    from collections.abc import Collection

    from aiokafka import AIOKafkaConsumer
    from aiokafka.structs import ConsumerRecord

    from pipeline.sender.sender import CommandSender

log = logging.getLogger("twoway.sender")

POLL_MS: Final = 500
POLL_RECORDS: Final = 1_000
#: Between two fetches that find something, so that several records of the worker are one fetch.
FETCH_GAP_SECONDS: Final = 0.005
#: A fetch that waits at the broker holds back partitions that were not part of it.
FETCH_MAX_WAIT_MS: Final = 200
COMMIT_SECONDS: Final = 1.0
#: Commands held in memory at most; the others wait in Kafka.
HELD_AT_MOST: Final = 20_000
#: A rebalance waits so long for calls that are under way.
REBALANCE_MS: Final = 60_000


class Partitions(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells the sender which partitions are its own, before anything of them is read."""

    def __init__(self, consumer: AIOKafkaConsumer, sender: CommandSender) -> None:
        self._consumer = consumer
        self._sender = sender
        self._owned: set[int] = set()

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Let go; commit how far commands are done."""
        await self._sender.settle()
        marks = self._sender.marks()
        await self._sender.give_up(self._owned)
        self._owned = set()
        await commit(self._consumer, marks)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """What the worker says is heard from its end: all it says from now on answers asks."""
        states = [each for each in assigned if each.topic == topics.MT_STATE]
        if states:
            await self._consumer.seek_to_end(*states)
            await asyncio.gather(*(self._consumer.position(each) for each in states))
        self._owned = {each.partition for each in assigned if each.topic == topics.MT_COMMAND}
        there_are = self._consumer.partitions_for_topic(topics.MT_COMMAND) or self._owned
        self._sender.assign(self._owned, of=len(there_are))


async def commit(consumer: AIOKafkaConsumer, marks: dict[int, int]) -> None:
    """Commit how far commands are done; a failure is made up for by the next commit."""
    offsets = {TopicPartition(topics.MT_COMMAND, p): offset for p, offset in marks.items()}
    if offsets:
        try:
            await consumer.commit(offsets)
        except CommitFailedError:
            log.info("another sender has the partitions now: nothing is committed")
        except KafkaError as error:
            log.warning("offsets are not committed: %s", type(error).__name__)


async def feed(sender: CommandSender, bootstrap: str, *, ended: asyncio.Event) -> None:
    """Feed the sender until `ended`; gives up its partitions at the end."""
    consumer = PacedConsumer(
        gap_seconds=lambda: FETCH_GAP_SECONDS,
        bootstrap_servers=bootstrap,
        group_id=readers.SENDER,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        partition_assignment_strategy=(RangePartitionAssignor,),
        rebalance_timeout_ms=REBALANCE_MS,
        max_poll_interval_ms=REBALANCE_MS * 5,
        fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
    )
    listener = Partitions(consumer, sender)
    consumer.subscribe(topics=list(readers.READ_BY[readers.SENDER]), listener=listener)
    await consumer.start()
    committing = asyncio.create_task(_commit_often(consumer, sender))
    ending = asyncio.create_task(ended.wait())
    try:
        while not ended.is_set():
            _pause(consumer, sender)
            polling = asyncio.create_task(
                consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
            )
            await asyncio.wait([polling, ending], return_when=asyncio.FIRST_COMPLETED)
            if not polling.done():
                polling.cancel()
                await asyncio.wait([polling])
                break
            for records in polling.result().values():
                for record in records:
                    _hand_on(sender, record)
    finally:
        committing.cancel()
        ending.cancel()
        await listener.on_partitions_revoked(())
        await consumer.stop()


def _pause(consumer: AIOKafkaConsumer, sender: CommandSender) -> None:
    """Read no more commands than the sender may hold; what the worker says is always read."""
    commands = [each for each in consumer.assignment() if each.topic == topics.MT_COMMAND]
    if len(sender) >= HELD_AT_MOST:
        consumer.pause(*commands)
    elif consumer.paused():
        consumer.resume(*consumer.paused())


def _hand_on(sender: CommandSender, record: ConsumerRecord) -> None:
    try:
        value = single_object.decode(record.value or b"")
    except single_object.Unreadable:
        value = None
    if isinstance(value, MtState) and record.topic == topics.MT_STATE:
        sender.hear(value)
    elif isinstance(value, MtCommand) and record.topic == topics.MT_COMMAND:
        sender.take(value, record.partition, record.offset)
    else:
        log.error(
            "%s[%d] at %d is not what belongs there", record.topic, record.partition, record.offset
        )
        if record.topic == topics.MT_COMMAND:
            sender.skip(record.partition, record.offset)


async def _commit_often(consumer: AIOKafkaConsumer, sender: CommandSender) -> None:
    said: dict[int, int] = {}
    while True:
        await asyncio.sleep(COMMIT_SECONDS)
        marks = sender.marks()
        if marks != said:
            await commit(consumer, marks)
            said = marks
