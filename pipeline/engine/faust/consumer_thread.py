"""The thread that owns the aiokafka consumer; it gives fetched records as a batch per partition.

aiokafka 0.14.0 offers a partition's position only after a wait, so it is read from aiokafka's
subscription state.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from aiokafka.errors import ConsumerStoppedError
from faust.transport.drivers import aiokafka as driver

from pipeline.engine.batch import Batch
from pipeline.engine.faust.assignor import CoPartitionAssignor
from pipeline.kafka.client.paced_consumer import PacedConsumer
from pipeline.kafka.client.static_membership import keep_name
from pipeline.process.stop import stop_loudly

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import aiokafka
    from aiokafka.structs import OffsetAndMetadata, TopicPartition
    from faust.types import TP

FETCH_MAX_WAIT_MS: Final = 200
UNSETTLED_SECONDS: Final = 0.01


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """Owns the aiokafka consumer, in a thread with a loop of its own."""

    async def on_start(self) -> None:
        """Start the consumer; it joins the group only when it is subscribed, later."""
        await super().on_start()
        self._ensure_consumer()._coordinator._coordination_task.add_done_callback(  # noqa: SLF001
            _end_without_group
        )
        if name := self.app.conf.consumer_group_instance_id:
            keep_name(self._ensure_consumer(), name)

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        """Make a consumer like Faust's, but range-assigned, read_committed, and with a short fetch.

        The range assignor gives one worker the same partitions of every topic, so that all state of
        a handset is in one place. Faust's fetch waits 1.5 s, and delays records of partitions that
        are not in the fetch.
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
        """Wait up to `wait_seconds` for records; return one batch for each partition that has any.

        A partition whose position moved past markers only gives a batch without records.
        """
        return await self.call_thread(self._poll, partitions, wait_seconds)  # type: ignore[no-any-return]

    async def _poll(self, partitions: set[TP], wait_seconds: float) -> list[Batch]:
        consumer = self._ensure_consumer()
        fetcher = consumer._fetcher  # noqa: SLF001 - as Faust's driver reads it
        if consumer._closed or fetcher._closed:  # noqa: SLF001 - as above
            raise ConsumerStoppedError
        # The coordinator keeps its errors until it is asked for them, and does nothing until then.
        consumer._coordinator.check_errors()  # noqa: SLF001 - as above
        assignment = self._assignment()
        # Records of a partition without a valid position would have an unknown start.
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
        """The present assignment, to be compared by identity; None while there is none."""
        subscriptions = self._ensure_consumer()._subscription  # noqa: SLF001 - see the module
        if subscriptions.reassignment_in_progress:
            return None
        return subscriptions.subscription.assignment

    async def _drained(self, fetcher: Any, partitions: Iterable[TP]) -> list[Batch]:
        """Return the records that were fetched, without waiting.

        After a new assignment nothing is taken until the agents are ready: Faust then seeks to the
        committed offsets, and records that were taken and dropped before would be a gap.
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


def _end_without_group(membership: asyncio.Task[None]) -> None:
    """End the process if the task that keeps us in the group has failed; it is never started again.

    aiokafka raises that error where records are taken. A worker that has no partition takes none.
    """
    if not membership.cancelled() and (error := membership.exception()) is not None:
        stop_loudly("the membership in the group", error)


async def _until_fetched(fetcher: Any, seconds: float) -> None:
    """Wait until records are fetched, at most `seconds`; raises the fetcher's error."""
    waiter = fetcher._create_fetch_waiter()  # noqa: SLF001 - as the fetcher itself waits
    await asyncio.wait([waiter], timeout=seconds)
    if waiter.done():
        waiter.result()
    else:
        waiter.cancel()
