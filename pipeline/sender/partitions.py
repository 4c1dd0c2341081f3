"""Tells the sender which partitions it owns, holds those that wait, and commits their offsets."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, KafkaError

from pipeline.kafka import topics
from pipeline.process import troubles
from pipeline.sender import metrics

if TYPE_CHECKING:
    from collections.abc import Collection

    from aiokafka import AIOKafkaConsumer

    from pipeline.sender.sender import CommandSender

log = logging.getLogger("twoway.sender")

COMMIT_SECONDS: Final = 1.0
LONGEST_COMMIT_SECONDS: Final = 10.0
#: How long Kafka may take what was seen of calls, before the partitions are given up.
SETTLE_SECONDS: Final = 15.0


class Partitions(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells the sender which partitions it owns, before their records are read.

    aiokafka only logs an error of a listener. So `failure` keeps the error for the reading loop:
    otherwise a sender would own nothing, and wait for ever.
    """

    def __init__(
        self, consumer: AIOKafkaConsumer, sender: CommandSender, waits_for: dict[int, str]
    ) -> None:
        self._consumer = consumer
        self._waits_for = waits_for
        self._sender = sender
        self._owned: set[int] = set()
        self.failure: Exception | None = None
        self.is_over = False

    @property
    def held(self) -> set[TopicPartition]:
        """The partitions that wait for an operator."""
        return {TopicPartition(topics.MT_COMMAND, partition) for partition in self._waits_for}

    def hold(self, place: TopicPartition, offset: int, words: str) -> None:
        """Take no more commands of a partition: its next one, at `offset`, cannot be read."""
        self._consumer.seek(place, offset)
        self._consumer.pause(place)
        log.critical("%s[%d] waits for an operator: %s", place.topic, place.partition, words)
        self._waits_for[place.partition] = words
        self._tell_waits()

    def _tell_waits(self) -> None:
        metrics.WAITING.set(len(self._waits_for))
        troubles.tell_waits(troubles.reasons_of_partitions(self._waits_for))

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Give up the partitions, and commit their offsets."""
        try:
            async with asyncio.timeout(SETTLE_SECONDS):
                await self._sender.settle()
        except TimeoutError:
            log.warning("Kafka does not take what was seen of calls: it is tried on")
        marks = self._sender.marks()
        await self._sender.give_up(self._owned)
        self._owned = set()
        self._waits_for.clear()
        self._tell_waits()
        await commit(self._consumer, marks)

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Own the partitions; read the worker's states from the end, where answers will come."""
        try:
            if not self.is_over:
                await self._own(assigned)
        except Exception as error:
            self.failure = error

    async def _own(self, assigned: Collection[TopicPartition]) -> None:
        states = [each for each in assigned if each.topic == topics.MT_STATE]
        if states:
            await self._consumer.seek_to_end(*states)
            await asyncio.gather(*(self._consumer.position(each) for each in states))
        self._owned = {each.partition for each in assigned if each.topic == topics.MT_COMMAND}
        there_are = self._consumer.partitions_for_topic(topics.MT_COMMAND) or self._owned
        self._sender.assign(self._owned, of=len(there_are))


async def commit(consumer: AIOKafkaConsumer, marks: dict[int, int]) -> None:
    """Commit the offset of each partition; a failure is logged, and the next commit repeats it."""
    offsets = {TopicPartition(topics.MT_COMMAND, p): offset for p, offset in marks.items()}
    if offsets:
        try:
            async with asyncio.timeout(LONGEST_COMMIT_SECONDS):
                await consumer.commit(offsets)
        except CommitFailedError:
            log.info("another sender has the partitions now: nothing is committed")
        except (KafkaError, TimeoutError) as error:
            log.warning("offsets are not committed: %s", type(error).__name__)


async def commit_often(consumer: AIOKafkaConsumer, sender: CommandSender) -> None:
    """Commit the offsets that have changed once a second, until cancelled."""
    said: dict[int, int] = {}
    while True:
        await asyncio.sleep(COMMIT_SECONDS)
        marks = sender.marks()
        if marks != said:
            await commit(consumer, marks)
            said = marks
