"""Opens, restores and closes the states of an agent's partitions."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.engine.state.checkpoint import Checkpoints, CheckpointUnusable
from pipeline.engine.state.disk import FORMAT
from pipeline.engine.state.ended import EndedTransactions
from pipeline.engine.state.memory import MemoryRows
from pipeline.engine.state.restore import (
    ChangelogTopic,
    CommittedOffsets,
    describe_changelog,
    read_changelog,
)
from pipeline.engine.state.state import State

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from pipeline.engine.plan import AgentPlan
    from pipeline.engine.state.rows import Rows


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A partition's state, and how many rows of the changelog were read to restore it."""

    state: State
    rows: int


class States:
    """The states of one agent: on disk under the plan's folder, in memory without one."""

    def __init__(self, plan: AgentPlan) -> None:
        self._plan = plan
        self._asking = asyncio.Lock()
        self._changelog: ChangelogTopic | None = None
        self._checkpoints: Checkpoints | None = None
        self._rows_read: dict[int, int] = {}
        self._ended = EndedTransactions(
            bootstrap=plan.bootstrap, topics={plan.changelog, *plan.outputs}
        )
        self.committed = CommittedOffsets(
            bootstrap=plan.bootstrap, group=plan.group, topics=plan.topics
        )

    def rows_read(self, partition: int) -> int:
        """Rows of the changelog that the restore of a partition has read so far."""
        return self._rows_read.get(partition, 0)

    async def restore(self, partition: int) -> Restored:
        """The state as in the changelog. The partition must be fenced and closed before.

        Raises `TransactionWithoutEnd` if the fence has not ended what the last owner had begun.
        """
        await self._ended.until_ended(partition)
        if self._plan.folder is None:
            return await self._read_to_end(MemoryRows(), partition)
        changelog = await self._described()
        checkpoints = self._held(self._plan.folder)
        identity = self._identity(changelog, partition)
        rows = checkpoints.open(partition, identity=identity)
        try:
            return await self._read_to_end(rows, partition)
        except CheckpointUnusable as error:
            rows = checkpoints.begin_empty(partition, identity=identity, reason=str(error))
            return await self._read_to_end(rows, partition)

    async def sweep(self, in_use: Collection[int]) -> None:
        """Delete databases on this machine that are not used and are too old to continue from."""
        if self._checkpoints is not None and self._changelog is not None:
            await asyncio.to_thread(
                self._checkpoints.sweep,
                in_use=in_use,
                kept_ms=self._changelog.tombstones_kept_ms,
            )

    def close(self) -> None:
        """Release the folder; every state must be closed before."""
        checkpoints, self._checkpoints = self._checkpoints, None
        if checkpoints is not None:
            checkpoints.close()

    async def _read_to_end(self, rows: Rows, partition: int) -> Restored:
        state = State(self._plan.tables, rows)

        def tell(rows_read: int) -> None:
            self._rows_read[partition] = rows_read

        try:
            read = await read_changelog(
                bootstrap=self._plan.bootstrap,
                topic=self._plan.changelog,
                partition=partition,
                state=state,
                tombstones_kept_ms=self._changelog.tombstones_kept_ms if self._changelog else 0,
                tell=tell,
            )
        except BaseException:
            rows.close()
            raise
        return Restored(state=state, rows=read)

    async def _described(self) -> ChangelogTopic:
        async with self._asking:
            if self._changelog is None:
                self._changelog = await describe_changelog(
                    self._plan.bootstrap, self._plan.changelog
                )
            return self._changelog

    def _held(self, folder: Path) -> Checkpoints:
        if self._checkpoints is None:
            self._checkpoints = Checkpoints(folder / self._plan.group)
        return self._checkpoints

    def _identity(self, changelog: ChangelogTopic, partition: int) -> str:
        tables = ",".join(self._plan.tables)
        return f"{FORMAT};{self._plan.changelog}/{changelog.topic_id}/{partition};{tables}"
