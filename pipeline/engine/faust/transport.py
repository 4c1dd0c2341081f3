"""A Faust transport driver whose consumer gives whole batches and commits nothing by itself.

It is registered in Faust's entry-point group `faust.transports` as `txn`:
`broker="txn://host:port"`. Stock Faust gives an agent one record at a time, and commits the records
that the agent has processed. Here the value of an event is a `Batch`. Only the engine commits
offsets: in a transaction with state and outputs, or by `commit_offsets` if nothing was written.

Written against faust-streaming 0.15.3 and aiokafka 0.14.0, which are pinned. Neither gives a
partition's position without a wait, so it is read from aiokafka's subscription state.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import aiokafka
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import ConsumerStoppedError, KafkaError, StaleMetadata
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from pipeline.engine.batch import Batch
from pipeline.kafka.client.end_offsets import Ends
from pipeline.kafka.client.paced_consumer import PacedConsumer
from pipeline.kafka.client.static_membership import keep_name
from pipeline.process.stop import stop_loudly

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from aiokafka.structs import OffsetAndMetadata, TopicPartition

POLL_SECONDS: Final = 0.5
FETCH_MAX_WAIT_MS: Final = 200
FETCH_GAP_SECONDS: Final = 0.02
UNSETTLED_SECONDS: Final = 0.01
CROWDED_SECONDS: Final = 0.2  # a shorter wait while a partition has no room but may get some
NO_ROOM_SECONDS: Final = 0.02


class CoPartitionAssignor(RangePartitionAssignor):
    """The range assignor, but it refuses to assign topics whose partitions it does not know.

    Right after a broker's restart the leader's metadata may be empty. aiokafka's assignor then
    assigns no partitions, and the group does not try again.
    """

    @classmethod
    def assign(cls, cluster: Any, members: Mapping[str, Any]) -> Any:
        """Assign by range; raises `StaleMetadata`, after which every member joins again."""
        topics = {topic for member in members.values() for topic in member.subscription}
        unknown = sorted(topic for topic in topics if not cluster.partitions_for_topic(topic))
        if unknown:
            raise StaleMetadata(f"no partitions known of {', '.join(unknown)}")
        return super().assign(cluster, members)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Owns the aiokafka consumer, in a separate thread with its own event loop."""

    async def on_start(self) -> None:
        """Start the consumer. It joins the group later, when it is subscribed."""
        await super().on_start()
        if name := self.app.conf.consumer_group_instance_id:
            keep_name(self._ensure_consumer(), name)

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        """A consumer like Faust's, but with range assignment, read_committed and short fetches.

        The range assignor gives one worker the same partition numbers of every topic, so all state
        of a handset is in one place. Faust's fetch waits up to 1.5 s, which would hold back records
        of partitions that are not part of the fetch.
        """
        conf = self.app.conf
        return PacedConsumer(
            gap_seconds=lambda: self.consumer.fetch_gap_seconds,
            client_id=conf.broker_client_id,
            group_id=conf.id,
            group_instance_id=conf.consumer_group_instance_id,
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            partition_assignment_strategy=[CoPartitionAssignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=None,
            max_partition_fetch_bytes=conf.consumer_max_fetch_size,
            fetch_max_wait_ms=FETCH_MAX_WAIT_MS,
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            max_poll_interval_ms=int((conf.broker_max_poll_interval or 300) * 1000),
            isolation_level="read_committed",
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def poll(self, partitions: set[TP], wait_seconds: float) -> list[Batch]:
        """One batch for each partition with records; waits up to `wait_seconds` for the first.

        If a partition's position moved only past markers, its batch has no records.
        """
        return await self.call_thread(self._poll, partitions, wait_seconds)  # type: ignore[no-any-return]

    async def _poll(self, partitions: set[TP], wait_seconds: float) -> list[Batch]:
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher  # noqa: SLF001 - as Faust's driver reads it
        if consumer._closed or fetcher._closed:  # noqa: SLF001 - as above
            raise ConsumerStoppedError
        # The coordinator only reports its errors when it is asked, and waits until then.
        consumer._coordinator.check_errors()  # noqa: SLF001 - as above
        assignment = self._assignment()
        # While the position of a partition is not known, its records could not be placed.
        if not self._positions(partitions):
            await asyncio.sleep(UNSETTLED_SECONDS)
            return []
        with fetcher._subscriptions.fetch_context():  # noqa: SLF001 - as above
            batches = await self._drained(fetcher, partitions)
            if batches:
                return batches
            await _until_fetched(fetcher, wait_seconds)
        return await self._drained(fetcher, partitions) if self._assignment() is assignment else []

    def _assignment(self) -> Any:
        """An object that differs for each assignment; None while there is no assignment."""
        subscriptions = self._ensure_consumer()._subscription  # noqa: SLF001 - see the module
        if subscriptions.reassignment_in_progress:
            return None
        return subscriptions.subscription.assignment

    async def _drained(self, fetcher: Any, partitions: Iterable[TP]) -> list[Batch]:
        """The fetched records, without waiting.

        After a new assignment, records stay in the fetcher until the agents can take them. Faust
        seeks to the beginning of the assignment, and records that were drained later and dropped
        would leave a gap.
        """
        if self._assignment() is None or not self.consumer.flow_active:
            return []
        if not fetcher._records:  # noqa: SLF001 - see the module
            return []
        before = self._positions(partitions)
        fetched = await fetcher.fetched_records(set(before), timeout=0) if before else {}
        after = self._positions(before)
        return [
            Batch(tp.topic, tp.partition, fetched.get(tp, ()), start, after[tp])
            for tp, start in before.items()
            if after.get(tp, start) > start
        ]

    def _positions(self, partitions: Iterable[TP]) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        subscription = consumer._subscription.subscription  # noqa: SLF001 - see the module
        assignment = subscription and subscription.assignment
        if not assignment:
            return {}
        states = ((tp, assignment.state_value(tp)) for tp in partitions)
        return {tp: state.position for tp, state in states if state and state.has_valid_position}

    async def commit_offsets(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit as a member of the group; the broker refuses it if our generation has ended."""
        await self.call_thread(self._ensure_consumer().commit, dict(offsets))


class Consumer(driver.Consumer):
    """Gives each poll of a partition to its agent as one event."""

    _thread: ConsumerThread
    _ends: Ends | None = None

    #: The shortest time between two fetches; the agent may set it.
    fetch_gap_seconds: float = FETCH_GAP_SECONDS

    #: Whether more of a partition may be fetched; the agent sets it. It bounds the memory.
    has_room: Callable[[TP], bool] = staticmethod(lambda _tp: True)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _drain_messages(self, fetcher: Any) -> None:
        while not (self.should_stop or fetcher.should_stop):
            if not self.flow_active:
                await self.wait(self.can_resume_flow)
                continue
            active = self._get_active_partitions()
            partitions = {tp for tp in active if self.has_room(tp)}
            if not partitions:
                await self.sleep(NO_ROOM_SECONDS)
                continue
            wait_seconds = POLL_SECONDS if len(partitions) == len(active) else CROWDED_SECONDS
            try:
                batches = await self._thread.poll(partitions, wait_seconds)
            except ConsumerStoppedError as error:
                if self.transport.app.should_stop:
                    return
                stop_loudly("the consumer", error)
            except KafkaError as error:
                stop_loudly("the consumer", error)
            # Read after the fetch; read before it, the number of a new assignment would be missed.
            generation = self.app.consumer_generation_id
            for batch in batches:
                if not self.flow_active or generation != self.app.consumer_generation_id:
                    break
                await self.callback(_message_from_batch(batch, generation))

    async def commit(self, *_args: Any, **_kwargs: Any) -> bool:
        """Do nothing: the engine commits offsets in its transactions."""
        return True

    async def force_commit(self, *_args: Any, **_kwargs: Any) -> bool:
        """Do nothing, like `commit`."""
        return True

    def verify_event_path(self, now: float, tp: TP) -> None:
        """Do nothing: Faust's livelock detector checks acks and commits, which are not used."""

    async def end_offsets(self, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
        """The last stable offset of each partition, from its leader, now."""
        if self._ends is None:
            self._ends = Ends(self._new_asker)
        return await self._ends.read(partitions)

    def _new_asker(self) -> aiokafka.AIOKafkaConsumer:
        conf, transport = self.app.conf, self.transport
        return aiokafka.AIOKafkaConsumer(
            client_id=f"{conf.broker_client_id}-ends",
            bootstrap_servers=driver.server_list(transport.url, transport.default_port),
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            isolation_level="read_committed",
            enable_auto_commit=False,
            **driver.credentials_to_aiokafka_auth(conf.broker_credentials, conf.ssl_context),
        )

    async def on_stop(self) -> None:
        """Stop, and close our own connections."""
        await super().on_stop()
        if self._ends is not None:
            await self._ends.close()

    async def commit_offsets(self, offsets: Mapping[TopicPartition, OffsetAndMetadata]) -> None:
        """Commit as a member of the group; the broker refuses it if our generation has ended."""
        await self._thread.commit_offsets(offsets)


async def _until_fetched(fetcher: Any, seconds: float) -> None:
    """Wait until records are fetched, at most `seconds`; raises the fetcher's errors."""
    waiter = fetcher._create_fetch_waiter()  # noqa: SLF001 - as the fetcher itself waits
    await asyncio.wait([waiter], timeout=seconds)
    if waiter.done():
        waiter.result()
    else:
        waiter.cancel()


def _message_from_batch(batch: Batch, generation: int) -> ConsumerMessage:
    return ConsumerMessage(
        topic=batch.topic,
        partition=batch.partition,
        offset=batch.end - 1,
        timestamp=0.0,
        timestamp_type=0,
        headers=[],
        key=None,
        value=batch,
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        tp=TP(batch.topic, batch.partition),
        generation_id=generation,
    )


class Transport(driver.Transport):
    """Faust's aiokafka transport with the consumer of this module."""

    Consumer = Consumer
