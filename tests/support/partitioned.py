"""An agent of one partition without Kafka, which may be killed before a unit of work commits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.engine.decide import decide_batch
from pipeline.engine.state.state import Point, State
from pipeline.engine.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import SimpleNamespace

    from pipeline.engine.plan import Processor


class Agent:
    """One agent of one partition: the records it takes come from `log`, in order."""

    def __init__(
        self, group: str, partition: int, make: Callable[[], Processor], tables: tuple[str, ...]
    ) -> None:
        self.group = group
        self.partition = partition
        self._make = make
        self.state = State(tables)
        self.log: list[SimpleNamespace] = []
        self.taken = 0
        self.agent = self._new()

    def _new(self) -> Processor:
        agent = self._make()
        agent.restored(self.state)
        return agent

    def kill(self) -> None:
        """What was not committed is gone."""
        self.state.discard()
        self.agent = self._new()

    def work(self, at_most: int, *, commits: bool = True) -> list[tuple[str, int, bytes, bytes]]:
        """One unit of work; what it wrote, as topic, partition, key and value."""
        records = self.log[self.taken : self.taken + at_most]
        if not records:
            return []
        unit, done = decide_batch(
            records,  # type: ignore[arg-type]
            self.agent,
            self.state,
            new_work=lambda: UnitOfWork(
                state=self.state, partition=self.partition, changelog="changelog"
            ),
        )
        if not commits:
            self.kill()
            return []
        written = [
            (topic, partition, key or b"", value or b"")
            for (topic, partition), rows in unit._outputs.rows.items()
            for key, value in rows
        ]
        scrub = self.state.numbers_of(unit._scrubbed)
        self.state.apply(Point(self.state.point.sequence + 1, unit.time, {}), scrub=scrub)
        if scrub:
            self.state.rows.scrub()
        unit.run_afterwards()
        self.taken += done
        return written

    def rows(self, table: str) -> int:
        return self.state.sizes()[table]
