"""The parts of an agent that reads several topics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.state.state import State
    from pipeline.engine.unit_of_work import UnitOfWork


class Processor(Protocol):
    """Processes the records of an agent. It decides, and does not wait or send by itself."""

    def restored(self, state: State) -> None:
        """The state was restored: derive what the processor keeps decoded."""

    def take(self, work: UnitOfWork, record: ConsumerRecord) -> bool:
        """Process one record; bad data raises nothing.

        True if the record has more effects left than one unit of work should hold. Then the unit is
        committed, but the record is not done. It is taken again for the effects that are left.
        """

    def refuse(self, work: UnitOfWork, record: ConsumerRecord, error: Exception) -> None:
        """Write a record on which `take` has failed, also alone, to the dead letters."""


@dataclass(frozen=True, kw_only=True)
class AgentPlan:
    """The parts of an agent that reads several topics. `topics` is in rank order.

    Tables are on disk under `folder`, or in memory if `folder` is None.
    """

    name: str
    group: str
    bootstrap: str
    topics: tuple[str, ...]
    may_skip: frozenset[str]
    tables: tuple[str, ...]
    changelog: str
    processor: Callable[[int], Processor]
    folder: Path | None = None
