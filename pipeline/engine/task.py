"""The task of one partition: it takes records in order, in one transaction for each batch."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING, Final, cast

import msgspec

from pipeline.engine import metrics
from pipeline.engine.decide import decide_batch
from pipeline.engine.intake import Intake
from pipeline.engine.state.restore import joined_point
from pipeline.engine.state.state import State
from pipeline.engine.traced import traced
from pipeline.engine.transaction import REFUSED_FOR_WHAT_IT_WRITES
from pipeline.engine.unit_of_work import UnitOfWork
from pipeline.kafka.client.transactional_producer import transactional_producer
from pipeline.process import tracing
from pipeline.wrong_deploy import NeedsOperator

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from aiokafka import AIOKafkaProducer
    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.plan import AgentPlan
    from pipeline.engine.states import States

log = logging.getLogger(__name__)

BATCH_RECORDS: Final = 4_000


class PartitionTask:
    """Owns a partition: its producer, its state, and its position in each topic."""

    def __init__(
        self,
        *,
        plan: AgentPlan,
        partition: int,
        states: States,
        ends: Callable[[], Awaitable[Mapping[str, int]]],
        failed: Callable[[int, BaseException], None],
        turns: asyncio.Semaphore,
    ) -> None:
        self._plan = plan
        self._turns = turns
        self.partition = partition
        self._states = states
        self._failed = failed
        self.intake = Intake(topics=plan.topics, ends=ends, may_skip=plan.may_skip)
        self.state = State(plan.tables)
        self._processor = traced(plan.processor(partition), plan, tracing.tracer())
        self._producer: AIOKafkaProducer | None = None
        self._restored = False
        self._loop_task: asyncio.Task[None] | None = None
        self._working = asyncio.Lock()
        self._at_most = BATCH_RECORDS
        self.ready = False
        self.unsaved = 0
        #: Why the partition waits for an operator; empty if it does not wait.
        self.waits_for = ""

    @property
    def at_work(self) -> bool:
        """Whether a batch is being processed."""
        return self._working.locked()

    def start(self) -> None:
        """Run from the state's point on; does nothing if the task runs already."""
        if self._loop_task is None:
            self.waits_for = ""
            self._loop_task = asyncio.create_task(self._run(), name=f"partition-{self.partition}")

    def wait_for_operator(self, error: NeedsOperator) -> None:
        """Take no more records of the partition until the worker is restarted, and say why."""
        self.waits_for = str(error)
        log.critical("partition %d waits for an operator: %s", self.partition, error)
        if self._loop_task is not None and self._loop_task is not asyncio.current_task():
            self._loop_task.cancel()

    async def pause(self) -> None:
        """Finish the running transaction, take no more records, and drop fetched records.

        Producer and state stay, because the partition may come back with the next generation.
        """
        task, self._loop_task = self._loop_task, None
        if task is not None:
            async with self._working:
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        self.intake.drop_fetched()

    async def close(self) -> None:
        """Give up the partition, its state and its producer."""
        await self.pause()
        self._close_state()
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    def _close_state(self) -> None:
        self.ready = self._restored = False
        closed, self.state = self.state, State(self._plan.tables)
        closed.rows.close()

    async def _run(self) -> None:
        try:
            await self._begin()
            while True:
                await self.intake.arrived()
                async with self._turns:
                    records: Sequence[ConsumerRecord] = await self.intake.next_records(
                        BATCH_RECORDS
                    )
                    self._at_most = len(records)
                    while records:
                        async with self._working:
                            records = await self._work(records)
        except asyncio.CancelledError:
            raise
        except NeedsOperator as error:
            self.wait_for_operator(error)
        except Exception as error:
            self._failed(self.partition, error)

    async def _begin(self) -> None:
        """Make sure that the state is the last owner's, and drop records that are done."""
        committed = await self._states.committed.read(self.partition) if self._restored else None
        if committed is None or committed.sequence != self.state.point.sequence:
            await self._restore()
            committed = await self._states.committed.read(self.partition)
        where = f"{self._plan.changelog}[{self.partition}]"
        self.state.point = joined_point(restored=self.state.point, committed=committed, where=where)
        self.intake.begin_at(self.state.point.offsets)
        self.ready = True

    async def _restore(self) -> None:
        began = time.monotonic()
        self._close_state()
        if self._producer is not None:
            await self._producer.stop()
        # The start of the producer fences the last owner: its open transaction is aborted, and it
        # can commit nothing more. Only then do offsets and changelog not change any more.
        self._producer = transactional_producer(
            bootstrap=self._plan.bootstrap,
            transactional_id=f"{self._plan.group}-{self.partition}",
        )
        await self._producer.start()
        restored = await self._states.restore(self.partition)
        self.state = restored.state
        await asyncio.to_thread(self.state.rows.scrub)
        self._processor.restored(self.state)
        self._restored = True
        took = time.monotonic() - began
        metrics.RESTORES.inc()
        metrics.RESTORE_SECONDS.observe(took)
        log.info(
            "partition %d restored: %d changelog rows read in %.2f s",
            self.partition,
            restored.rows,
            took,
        )

    async def _work(self, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        """Process a batch in one transaction; returns the records that are left.

        If the broker refuses the content of the transaction, the batch is halved until one record
        alone is refused. That record goes to the dead letter.
        """
        began = time.monotonic()
        try:
            left = await self._commit(records, *self._decide(records))
        except REFUSED_FOR_WHAT_IT_WRITES as error:
            await self._restore_same()
            if self._at_most > 1:
                self._at_most //= 2
                words = "the broker refused the effects of %d records, trying half of them: %s"
                log.error(words, len(records), type(error).__name__)
                return records
            left = await self._refuse_first(records, error)
        self._at_most = min(BATCH_RECORDS, 2 * self._at_most)
        metrics.BATCH_SECONDS.observe(time.monotonic() - began)
        return left

    async def _refuse_first(
        self, records: Sequence[ConsumerRecord], error: Exception
    ) -> Sequence[ConsumerRecord]:
        """Refuse the first record, whose effects the broker has refused."""
        work = self._new_work()
        self._processor.refuse(work, records[0], error)
        try:
            return await self._commit(records, work, 1)
        except REFUSED_FOR_WHAT_IT_WRITES as again:
            raise NeedsOperator(
                f"the broker takes no dead letter of {work.octets} octets"
                f" ({type(again).__name__}): see max.message.bytes of the topics"
            ) from again

    async def _restore_same(self) -> None:
        """Restore the state from before a transaction that was refused."""
        point = self.state.point
        await self._restore()
        if self.state.point.sequence != point.sequence:
            raise RuntimeError("a transaction that the broker refused has been committed")
        self.state.point = point
        self.ready = True

    async def _commit(
        self, records: Sequence[ConsumerRecord], work: UnitOfWork, done: int
    ) -> Sequence[ConsumerRecord]:
        """Commit the effects of the first `done` records; returns the records that are left."""
        records, left = records[:done], records[done:]
        offsets = self.intake.next_offsets()
        offsets.update({record.topic: record.offset for record in reversed(left)})
        if work.is_empty:
            point = self.state.point
            self.state.point = msgspec.structs.replace(
                point, time=work.time, offsets={**point.offsets, **offsets}
            )
            self.unsaved += len(records)
        else:
            await work.commit(
                cast("AIOKafkaProducer", self._producer), group=self._plan.group, offsets=offsets
            )
            self.unsaved = 0
            metrics.TRANSACTIONS.inc()
        work.run_afterwards()
        for topic, count in Counter(record.topic for record in records).items():
            metrics.RECORDS.labels(topic).inc(count)
        return left

    def _decide(self, records: Sequence[ConsumerRecord]) -> tuple[UnitOfWork, int]:
        records = records[: self._at_most]
        return decide_batch(records, self._processor, self.state, new_work=self._new_work)

    def _new_work(self) -> UnitOfWork:
        return UnitOfWork(
            state=self.state, partition=self.partition, changelog=self._plan.changelog
        )
