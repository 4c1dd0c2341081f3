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

    def process_record(self, work: UnitOfWork, record: ConsumerRecord) -> bool:
        """Do one record's work; raises nothing for bad data.

        True if the record has more effects left than one unit of work should hold. Then the unit is
        committed, but the record is not done. It is taken again for the effects that are left.
        """

    def refuse(self, work: UnitOfWork, record: ConsumerRecord, error: Exception) -> None:
        """`process_record` failed on this record, alone, twice: put it to the dead letter."""


@dataclass(frozen=True, kw_only=True)
class AgentPlan:
    """The parts of an agent that reads several topics. `topics` is in rank order.

    Tables are on disk under `folder`, or in memory if `folder` is None. `waits_for_open`: a record
    is not taken before transactions that have written an earlier one have ended (0146). `outputs`:
    the topics that the agent writes, in which no transaction may be left open (0172).
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
    waits_for_open: bool = False
    outputs: tuple[str, ...] = ()
