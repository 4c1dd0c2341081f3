"""Reads commands from the committed offset, and the worker's states from the end of their topic.

One consumer group reads both topics; a process owns partitions of the same number in both.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import KafkaError

from pipeline.avro import single_object
from pipeline.kafka import readers, topics
from pipeline.kafka.client.paced_consumer import PacedConsumer
from pipeline.kafka.login.options import serving_options
from pipeline.process.backoff import Backoff
from pipeline.process.log_guard import exception_in_words
from pipeline.process.stop import stop_loudly
from pipeline.process.tracing import trace_headers_of, tracer
from pipeline.records import MtCommand, MtState
from pipeline.sender.partitions import Partitions, commit_often

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from aiokafka import AIOKafkaConsumer, TopicPartition
    from aiokafka.structs import ConsumerRecord

    from pipeline.sender.sender import CommandSender

log = logging.getLogger("twoway.sender")

POLL_MS: Final = 500
POLL_RECORDS: Final = 1_000
#: Between two fetches that find something, so that several records of the worker are one fetch.
FETCH_GAP_SECONDS: Final = 0.005
#: A fetch that waits at the broker holds back partitions that were not part of it.
FETCH_MAX_WAIT_MS: Final = 200
#: Commands held in memory at most; the others wait in Kafka.
HELD_AT_MOST: Final = 20_000
#: A rebalance waits so long for calls that are under way.
REBALANCE_MS: Final = 60_000
BACKOFF_SECONDS: Final = (0.5, 15.0)
STOP_SECONDS: Final = 10.0

T = TypeVar("T")


class _Ended(Exception):
    """The process must end."""


async def feed(
    sender: CommandSender,
    bootstrap: str,
    *,
    ended: asyncio.Event,
    reads: Callable[[bool], None],
    waits_for: dict[int, str],
) -> None:
    """Feed the sender until `ended`; call `reads` with whether records arrive.

    `waits_for` has the partitions that wait for an operator, and why.

    After any failure of Kafka the partitions are given up, and a new member joins the group after a
    pause.
    """
    backoff = Backoff(*BACKOFF_SECONDS)
    while not ended.is_set():
        try:
            await _feed_once(
                sender, bootstrap, ended=ended, reads=reads, waits_for=waits_for, backoff=backoff
            )
        except KafkaError as error:
            seconds = backoff.failed()
            log.warning("nothing is read, again in %g s: %s", seconds, exception_in_words(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), seconds)


async def _feed_once(
    sender: CommandSender,
    bootstrap: str,
    *,
    ended: asyncio.Event,
    reads: Callable[[bool], None],
    waits_for: dict[int, str],
    backoff: Backoff,
) -> None:
    """Read as one member of the group until `ended`; raises `KafkaError`."""
    consumer = _consumer(bootstrap)
    listener = Partitions(consumer, sender, waits_for)
    consumer.subscribe(topics=list(readers.READ_BY[readers.SENDER]), listener=listener)
    ending = asyncio.create_task(ended.wait())
    try:
        await _unless(ending, consumer.start())
        reads(True)
        backoff.succeeded()
        await _hand_on_all(consumer, sender, listener, ending)
    except _Ended:
        pass
    finally:
        reads(False)
        ending.cancel()
        listener.is_over = True
        await listener.on_partitions_revoked(())
        await _stop(consumer, ended)


def _consumer(bootstrap: str) -> AIOKafkaConsumer:
    return PacedConsumer(
        gap_seconds=lambda: FETCH_GAP_SECONDS,
        **serving_options(bootstrap),
        group_id=readers.SENDER,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed",
        partition_assignment_strategy=(RangePartitionAssignor,),
        rebalance_timeout_ms=REBALANCE_MS,
        max_poll_interval_ms=REBALANCE_MS * 5,
        fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
    )


async def _unless(ending: asyncio.Task[Any], work: Coroutine[Any, Any, T]) -> T:
    """Return the result of `work`; raises `_Ended` if `ending` is done first.

    Raises `KafkaError` if aiokafka cancels its own work, for example after a malformed answer.
    """
    task = asyncio.create_task(work)
    await asyncio.wait([task, ending], return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        await asyncio.wait([task])
        raise _Ended
    if task.cancelled():
        raise KafkaError("aiokafka cancelled what it was asked for")
    return task.result()


async def _hand_on_all(
    consumer: AIOKafkaConsumer,
    sender: CommandSender,
    listener: Partitions,
    ending: asyncio.Task[Any],
) -> None:
    committing = asyncio.create_task(commit_often(consumer, sender))
    try:
        while True:
            _pause(consumer, sender, listener.held)
            polling = consumer.getmany(timeout_ms=POLL_MS, max_records=POLL_RECORDS)
            found = await _unless(ending, polling)
            if listener.failure is not None:
                raise listener.failure
            if committing.done():
                committing.result()
            for partition, records in found.items():
                for record in records:
                    if words := _hand_on(sender, record):
                        listener.hold(partition, record.offset, words)
                        break
    finally:
        committing.cancel()


async def _stop(consumer: AIOKafkaConsumer, ended: asyncio.Event) -> None:
    """Leave the group; a consumer that stayed would be a member beside the next one."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await consumer.stop()
    except (KafkaError, TimeoutError) as error:
        if not ended.is_set():
            stop_loudly("the consumer does not end", error)
        log.warning("the consumer does not end: %s", type(error).__name__)


def _pause(consumer: AIOKafkaConsumer, sender: CommandSender, held: set[TopicPartition]) -> None:
    """Pause the commands while the sender holds its most; states of the worker are always read.

    The partitions `held` stay paused.
    """
    commands = [each for each in consumer.assignment() if each.topic == topics.MT_COMMAND]
    if len(sender) >= HELD_AT_MOST:
        consumer.pause(*commands)
    elif full := consumer.paused() - held:
        consumer.resume(*full)


def _hand_on(sender: CommandSender, record: ConsumerRecord) -> str:
    """Hand a record to the sender; returns why it cannot be done for a command.

    The worker alone writes commands. A command that cannot be read is of a newer worker, or of
    another program: whoever passed over it would lose a message. Without a state the sender asks
    the worker again.
    """
    words = "it is of another kind"
    try:
        value = single_object.decode(record.value or b"")
    except single_object.Unreadable as error:
        value, words = None, str(error)
    if isinstance(value, MtState) and record.topic == topics.MT_STATE:
        sender.hear(value)
    elif isinstance(value, MtCommand) and record.topic == topics.MT_COMMAND:
        trace = trace_headers_of(record.headers) if record.headers and tracer() else None
        sender.take(value, record.partition, record.offset, trace=trace)
    elif record.topic == topics.MT_COMMAND:
        return f"the record at offset {record.offset} cannot be read: {words}"
    else:
        log.error("a state at %s[%d]: %s", record.topic, record.partition, words)
    return ""
