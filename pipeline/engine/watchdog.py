"""Ends a worker that has work and completes none.

A separate thread watches, because the event loop itself may hang. It asks the broker for records to
take only if a partition has stood still for the whole time. If the broker does not answer, the
clients' own time-outs apply. An idle partition may stand still for ever.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from pipeline.kafka.login.options import serving_options
from pipeline.process.stop import stop_for

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

log = logging.getLogger(__name__)

LOOKS: Final = 10  # how often the thread looks in the time that a partition may stand still
ANSWER_SECONDS: Final = 10.0


class Watched(Protocol):
    """A partition's task, as another thread sees it."""

    def mark(self) -> Hashable:
        """A value that changes when there is progress."""

    def next_offsets(self) -> Mapping[str, int]:
        """Where to read on, by topic, when every record taken is done."""

    @property
    def at_work(self) -> bool:
        """Whether a batch is being processed, or the state is being restored."""


class Stillness:
    """Measures how long each partition has stood still."""

    def __init__(self, *, step_seconds: float) -> None:
        self._step_seconds = step_seconds
        self._seen: dict[int, tuple[Hashable, float]] = {}
        self._looked_at = 0.0

    def look(self, marks: Mapping[int, Hashable], *, now: float) -> dict[int, float]:
        """The seconds for which each partition has stood still.

        After a long pause between two looks they start again, because this process was stopped or
        had no processor.
        """
        if now - self._looked_at > 2 * self._step_seconds:
            self._seen.clear()
        self._looked_at = now
        before = self._seen
        self._seen = {
            partition: before[partition]
            if partition in before and before[partition][0] == mark
            else (mark, now)
            for partition, mark in marks.items()
        }
        return {partition: now - since for partition, (_, since) in self._seen.items()}

    def forgive(self, partition: int, *, now: float) -> None:
        """Start to measure a partition again."""
        self._seen[partition] = (self._seen[partition][0], now)


class Watchdog:
    """Watches tasks from a separate thread."""

    def __init__(
        self,
        *,
        bootstrap: str,
        topics: Sequence[str],
        tasks: Callable[[], Mapping[int, Watched]],
        seconds: float,
    ) -> None:
        self._bootstrap, self._topics = bootstrap, topics
        self._tasks = tasks
        self._seconds = seconds
        self._stillness = Stillness(step_seconds=seconds / LOOKS)
        self._stopped = threading.Event()

    def start(self) -> None:
        """Start to watch, until `stop` or the end of the process."""
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds / LOOKS):
            self.look(now=time.monotonic())

    def look(self, *, now: float) -> None:
        """Look at all tasks once; `now` is in seconds of a monotonic clock."""
        tasks = self._tasks()
        marks = {partition: task.mark() for partition, task in tasks.items()}
        for partition, seconds in self._stillness.look(marks, now=now).items():
            if seconds >= self._seconds:
                self._judge(partition, tasks[partition], seconds, now=now)

    def _judge(self, partition: int, task: Watched, seconds: float, *, now: float) -> None:
        bounds = self._bounds(partition)
        left = left_of(bounds, task.next_offsets())
        if bounds and (left or task.at_work):
            there_is = "a batch in hand" if task.at_work else left
            stop_for(
                f"partition {partition} has made no progress for {seconds:.0f} s, with {there_is}"
            )
        self._stillness.forgive(partition, now=now)

    def _bounds(self, partition: int) -> dict[str, tuple[int, int]]:
        """First and next offset by topic; empty if the broker does not answer."""
        try:
            return asyncio.run(self._ask(partition))
        except (KafkaError, TimeoutError) as error:
            log.warning("partition %d stands still, and the broker says: %s", partition, error)
            return {}

    async def _ask(self, partition: int) -> dict[str, tuple[int, int]]:
        wanted = [TopicPartition(topic, partition) for topic in self._topics]
        consumer = AIOKafkaConsumer(
            **serving_options(self._bootstrap),
            isolation_level="read_committed",
            enable_auto_commit=False,
        )
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await consumer.start()
                begins = await consumer.beginning_offsets(wanted)
                ends = await consumer.end_offsets(wanted)
        finally:
            await consumer.stop()
        return {tp.topic: (begins[tp], ends[tp]) for tp in wanted}


def left_of(bounds: Mapping[str, tuple[int, int]], taken: Mapping[str, int]) -> str:
    """What is left to take, in words; empty if nothing is left.

    It counts offsets, which include markers of transactions.
    """
    left = {topic: end - max(begin, taken.get(topic, 0)) for topic, (begin, end) in bounds.items()}
    return ", ".join(
        f"{count} offsets of {topic} to take" for topic, count in left.items() if count > 0
    )
