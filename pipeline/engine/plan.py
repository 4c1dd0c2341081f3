"""What an agent over several topics is made of, and what it must be able to do."""

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
    """What an agent does with records. It decides; it neither waits nor sends by itself."""

    def restored(self, state: State) -> None:
        """The state has been read back: derive what is kept decoded."""

    def process_record(self, work: UnitOfWork, record: ConsumerRecord) -> bool:
        """Do one record's work; raises nothing for bad data.

        True when there is more of it than one unit of work should hold. The unit is then committed
        without the record, and the record is taken again, and what is left of it done.
        """

    def refuse(self, work: UnitOfWork, record: ConsumerRecord, error: Exception) -> None:
        """`process_record` failed on this record, alone, twice: put it to the dead letter."""


@dataclass(frozen=True, kw_only=True)
class AgentPlan:
    """What an agent over several topics is made of. `topics` is in rank order.

    Tables are on disk under `folder`, or in memory when there is none.
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
