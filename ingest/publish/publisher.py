"""Publishes records to Kafka: the protocol `Publisher`, and its implementation for Kafka."""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from itertools import count as counting
from time import monotonic
from typing import TYPE_CHECKING, Final, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from ingest.publish.lanes import PublishLane, settled
from pipeline.kafka.client import bounded_frames
from pipeline.kafka.login.options import serving_options
from pipeline.kafka.login.refusal import why_not_allowed
from pipeline.kafka.readers import PUBLISHED
from pipeline.kafka.topics import partition_of
from pipeline.process import tracing
from pipeline.process.backoff import Backoff
from pipeline.process.peer_words import peer_words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger("twoway.ingest")
bounded_frames.bound_frames()

BATCH_OCTETS: Final = 512 * 1024  # below the broker's message.max.bytes, 1 MiB
REQUEST_TIMEOUT_MS: Final = 5_000  # then aiokafka sends the batch again with its sequence number
CHECK_SECONDS: Final = 1.0
END_SECONDS: Final = 2.0
BACKOFF_SECONDS: Final = (0.1, 1.0)


class Publisher(Protocol):
    """Puts records into topics."""

    @property
    def is_reachable(self) -> bool:
        """Whether a record published now would probably be acknowledged."""

    def partition_of(self, topic: str, key: bytes) -> int:
        """The partition of a key; 0 while the topic is not known."""

    def publish(self, topic: str, *, key: bytes | None, value: bytes) -> Awaitable[bool]:
        """True once all in-sync replicas have the record (acks=all); False after the time-out.

        After False the record may still arrive. Then it is a duplicate, which the pipeline drops.
        """

    def start(self) -> None:
        """Connect in the background. Call it once, in a running event loop."""

    async def stop(self) -> None:
        """Deliver the records taken, within a time-out, and close the connection."""


class KafkaPublisher:
    """One idempotent producer with a lane for each partition; it is replaced when it fails."""

    def __init__(self, bootstrap: Callable[[], str], *, timeout_seconds: float) -> None:
        self._bootstrap = bootstrap
        self._timeout_seconds = timeout_seconds
        self._producer: AIOKafkaProducer | None = None
        self._partitions: dict[str, int] = {}
        self._lanes: dict[tuple[str, int], PublishLane] = {}
        self._turn = counting()  # records without a key go to each partition in turn
        self._broken = asyncio.Event()
        self._answers = False
        self._said: bool | None = None
        self._acknowledged_at = float("-inf")
        self._task: asyncio.Task[None] | None = None

    @property
    def is_reachable(self) -> bool:
        """Whether Kafka answered the last check and no batch has timed out."""
        return (
            self._answers
            and self._producer is not None
            and not any(lane.is_stalled for lane in self._lanes.values())
        )

    def partition_of(self, topic: str, key: bytes) -> int:
        """See `Publisher.partition_of`."""
        return partition_of(key, self._partitions.get(topic, 1))

    def publish(self, topic: str, *, key: bytes | None, value: bytes) -> Awaitable[bool]:
        """See `Publisher.publish`. Without a connection it is False at once."""
        if self._producer is None:
            return settled(False)
        count = self._partitions[topic]
        partition = next(self._turn) % count if key is None else partition_of(key, count)
        lane = self._lanes.get((topic, partition))
        if lane is None:
            lane = self._lanes[topic, partition] = PublishLane(
                topic,
                partition,
                producer=self._producer,
                timeout_seconds=self._timeout_seconds,
                on_acknowledged=self._acknowledged,
                on_failed=self._failed,
            )
        tracer = tracing.tracer()
        if tracer is None:
            return lane.append(key, value)
        span = tracer.begin(
            f"publish {topic}",
            tracing.SpanKind.PRODUCER,
            tracing.carried() or [],
            {
                "messaging.system": "kafka",
                "messaging.operation.type": "send",
                "messaging.destination.name": topic,
                "messaging.destination.partition.id": str(partition),
            },
        )
        acknowledgement = lane.append(key, value, span.headers)
        acknowledgement.add_done_callback(partial(_end_span, span))
        return acknowledgement

    def _acknowledged(self) -> None:
        self._acknowledged_at = monotonic()
        self._answers = True

    def _failed(self, error: Exception) -> None:
        """Replace the producer: a failed batch leaves a gap in its sequence numbers."""
        words = peer_words(str(error))
        log.error("the producer failed and is replaced: %s: %s", type(error).__name__, words)
        self._broken.set()

    def start(self) -> None:
        """Connect in the background, and repeat that until Kafka answers."""
        self._task = asyncio.get_running_loop().create_task(self._keep_connected())

    async def stop(self) -> None:
        """Deliver the records taken, within the time-out, and disconnect."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                for lane in list(self._lanes.values()):
                    await lane.drained()
        except TimeoutError:
            log.warning("ended before Kafka acknowledged all; the others were answered 503")
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._disconnect()

    async def _keep_connected(self) -> None:
        backoff = Backoff(*BACKOFF_SECONDS)
        while True:
            try:
                producer = await self._connect()
            except Exception as error:  # no broker, no stack, no topics yet: there may be later
                why = why_not_allowed(error) or str(error) or type(error).__name__
                self._say_state(answers=False, why=why)
                await asyncio.sleep(backoff.failed())
                continue
            backoff.succeeded()
            await self._watch(producer)
            await self._disconnect()

    async def _connect(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            **serving_options(self._bootstrap()),
            client_id="twoway-ingest",
            acks="all",
            enable_idempotence=True,
            max_batch_size=BATCH_OCTETS,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        try:
            await producer.start()
            partitions = {topic: len(await producer.partitions_for(topic)) for topic in PUBLISHED}
        except BaseException:
            await _end(producer)
            raise
        self._broken.clear()
        self._partitions = partitions
        self._producer = producer
        self._say_state(answers=True)
        return producer

    async def _watch(self, producer: AIOKafkaProducer) -> None:
        """Return when the producer must be replaced; until then check whether Kafka answers."""
        while not self._broken.is_set():
            try:
                async with asyncio.timeout(CHECK_SECONDS):
                    await self._broken.wait()
            except TimeoutError:
                if monotonic() - self._acknowledged_at > CHECK_SECONDS:
                    done, _ = await asyncio.wait(
                        [producer.client.force_metadata_update()], timeout=2 * CHECK_SECONDS
                    )
                    self._say_state(answers=any(future.result() for future in done))

    def _say_state(self, *, answers: bool, why: str = "no answer") -> None:
        """Record whether Kafka answers, and log a change."""
        self._answers = answers
        if answers == self._said:
            return
        self._said = answers
        if answers:
            log.info("Kafka answers")
        else:
            words = peer_words(why)
            log.warning("Kafka does not answer, requests get 503 until it does: %s", words)

    async def _disconnect(self) -> None:
        producer, self._producer = self._producer, None
        lanes, self._lanes = self._lanes, {}
        for lane in lanes.values():
            lane.give_up()
        if producer is not None:
            await _end(producer)


def _end_span(span: tracing.Span, acknowledgement: asyncio.Future[bool]) -> None:
    span.end(failed="" if acknowledgement.result() else "Kafka has not acknowledged it in time")


async def _end(producer: AIOKafkaProducer) -> None:
    """Stop a producer without waiting for batches that it can no longer deliver.

    aiokafka's `stop` waits for these for ever. Its retry of a batch that was failed meanwhile
    raises `KeyError` (aiokafka 0.14.0, `MessageAccumulator.reenqueue`).
    """
    producer._message_accumulator.fail_all(KafkaError("given up"))  # noqa: SLF001 - no public way
    try:
        async with asyncio.timeout(END_SECONDS):
            await producer.stop()
    except Exception as error:  # the producer is dropped in any case
        log.debug("the old producer did not stop in order: %r", error)
    finally:
        await producer.client.close()
