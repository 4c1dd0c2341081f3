"""An agent under Faust that reads several topics, with one task for each owned partition."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final

from pipeline.engine.figures import forget_figures, report_figures
from pipeline.engine.shared_ends import SharedEnds
from pipeline.engine.states import States
from pipeline.engine.task import PartitionTask
from pipeline.engine.transaction import offsets_of
from pipeline.engine.watchdog import Watchdog
from pipeline.process import troubles
from pipeline.process.stop import stop_loudly
from pipeline.wrong_deploy import NeedsOperator

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import faust
    from aiokafka.structs import OffsetAndMetadata, TopicPartition
    from faust.types import TP

    from pipeline.engine.batch import Batch
    from pipeline.engine.plan import AgentPlan

log = logging.getLogger(__name__)

#: Transactions share the processors of broker and worker. A few at a time each end sooner than all
#: at once, and records that wait meanwhile go into one batch.
PARTITIONS_AT_WORK: Final = 4
SAVE_SECONDS: Final = 0.5
SAVE_RECORDS: Final = 20
SAVE_ROUNDS: Final = 10
REPORT_ROUNDS: Final = 4
SWEEP_ROUNDS: Final = 7_200  # once an hour


class _Watched:
    """A task as the watchdog sees it."""

    def __init__(self, task: PartitionTask, states: States) -> None:
        self._task, self._states = task, states

    def mark(self) -> Hashable:
        """Number of batches, offsets, and numbers of rows changed and restored so far."""
        state = self._task.state
        changes = sum(len(table.changes) for table in state.tables.values())
        offsets = tuple(state.point.offsets.items())
        return state.point.sequence, offsets, changes, self._states.rows_read(self._task.partition)

    def next_offsets(self) -> Mapping[str, int]:
        return {**self._task.state.point.offsets, **self._task.intake.next_offsets()}

    @property
    def at_work(self) -> bool:
        return self._task.at_work or not self._task.ready


class PartitionedAgent:
    """The tasks of the partitions that this worker owns."""

    def __init__(self, app: faust.App, plan: AgentPlan, *, stall_seconds: float) -> None:
        self._app = app
        self._plan = plan
        self._states = States(plan)
        self._tasks: dict[int, PartitionTask] = {}
        self._turns = asyncio.Semaphore(PARTITIONS_AT_WORK)
        self._ends = SharedEnds(plan.topics, self._end_offsets)
        self._saver: asyncio.Task[None] | None = None
        self._told: dict[int, str] = {}
        self._watchdog = Watchdog(
            bootstrap=plan.bootstrap,
            topics=plan.topics,
            tasks=self._watched,
            seconds=stall_seconds,
        )

    @property
    def tasks(self) -> Mapping[int, PartitionTask]:
        """Tasks by partition."""
        return self._tasks

    @property
    def ready(self) -> bool:
        """Whether every owned partition has its state, and none waits for an operator."""
        tasks = self._tasks.values()
        return bool(tasks) and all(task.ready and not task.waits_for for task in tasks)

    @property
    def waits_for(self) -> dict[int, str]:
        """The partitions that wait for an operator, and why."""
        return {p: task.waits_for for p, task in self._tasks.items() if task.waits_for}

    def register(self) -> None:
        """Register the agent's stream and its rebalance callbacks with the app."""
        channel = self._app.topic(
            *self._plan.topics, key_serializer="raw", value_serializer="raw", value_type=bytes
        )

        async def take(stream: Any) -> None:
            async for batch in stream:
                self._hand_over(batch)

        self._app.agent(channel, name=self._plan.name)(take)
        self._app.on_partitions_revoked.connect(self._revoked, weak=False)
        self._app.on_partitions_assigned.connect(self._assigned, weak=False)
        self._app.on_before_shutdown.connect(self._shut_down, weak=False)

    def _hand_over(self, batch: Batch) -> None:
        try:
            self._task(batch.partition).intake.add(batch)
        except NeedsOperator as error:
            self._task(batch.partition).wait_for_operator(error)
        except Exception as error:
            self._failed(batch.partition, error)

    async def _end_offsets(self, wanted: list[TopicPartition]) -> Mapping[TopicPartition, int]:
        return await self._app.consumer.end_offsets(wanted)  # type: ignore[no-any-return]

    def _watched(self) -> Mapping[int, _Watched]:
        return {
            partition: _Watched(task, self._states)
            for partition, task in self._tasks.copy().items()
            if not task.waits_for
        }

    def _has_room(self, tp: TP) -> bool:
        task = self._tasks.get(tp.partition)
        return task is None or (not task.waits_for and task.intake.has_room(tp.topic))

    def _task(self, partition: int) -> PartitionTask:
        task = self._tasks.get(partition)
        if task is None:

            async def ends() -> Mapping[str, int]:
                return await self._ends.read(partition)

            task = self._tasks[partition] = PartitionTask(
                plan=self._plan,
                partition=partition,
                states=self._states,
                ends=ends,
                failed=self._failed,
                turns=self._turns,
            )
        return task

    async def _revoked(self, _app: faust.App, revoked: set[TP], **_: Any) -> None:
        """Pause all partitions: the eager protocol revokes all before it assigns some again."""
        await asyncio.gather(*(task.pause() for task in self._tasks.values()))

    async def _assigned(self, _app: faust.App, assigned: set[TP], **_: Any) -> None:
        self._app.consumer.has_room = self._has_room
        self._app.consumer.waits_for_open = self._plan.waits_for_open
        owned = {tp.partition for tp in assigned if tp.topic in self._plan.topics}
        for partition in sorted(self._tasks.keys() - owned):
            await self._tasks.pop(partition).close()
            forget_figures(partition)
        for partition in sorted(owned):
            self._task(partition).start()
        if self._saver is None:
            self._saver = asyncio.create_task(self._save_now_and_then())
            self._watchdog.start()
        log.info("partitions %s", sorted(owned))

    async def _shut_down(self, _app: faust.App, **_: Any) -> None:
        self._watchdog.stop()
        troubles.tell_waits({})
        if self._saver is not None:
            self._saver.cancel()
        await asyncio.gather(*(task.pause() for task in self._tasks.values()))
        await self._save(list(self._tasks.values()))
        await asyncio.gather(*(task.close() for task in self._tasks.values()))
        self._states.close()

    def _tell_troubles(self) -> None:
        """Write for `twoway status` which partitions wait, and why."""
        found = self.waits_for
        if found != self._told:
            self._told = found
            troubles.tell_waits(troubles.reasons_of_partitions(found))

    async def _save_now_and_then(self) -> None:
        """Commit offsets without rows: within half a second if there are many, else rarely."""
        rounds = 0
        while True:
            await asyncio.sleep(SAVE_SECONDS)
            rounds += 1
            least = 1 if rounds % SAVE_ROUNDS == 0 else SAVE_RECORDS
            if rounds % REPORT_ROUNDS == 1:
                report_figures(self._tasks)
            self._tell_troubles()
            await self._save([task for task in self._tasks.values() if task.unsaved >= least])
            if rounds % SWEEP_ROUNDS == 1:
                await self._sweep()

    async def _sweep(self) -> None:
        try:
            await self._states.sweep(frozenset(self._tasks))
        except OSError as error:
            log.warning("databases that nobody uses are not deleted: %s", error)

    async def _save(self, tasks: list[PartitionTask]) -> None:
        offsets: dict[TopicPartition, OffsetAndMetadata] = {}
        for task in tasks:
            if task.ready and task.unsaved:
                offsets |= offsets_of(task.state.point, task.partition)
                task.unsaved = 0
        if not offsets:
            return
        try:
            await self._app.consumer.commit_offsets(offsets)
        except Exception as error:
            log.warning("offsets not committed, %s: %s", type(error).__name__, error)

    def _failed(self, partition: int, error: BaseException) -> None:
        """End the process: nothing was committed, and after a restart the batch is taken again."""
        stop_loudly(f"partition {partition}", error)
