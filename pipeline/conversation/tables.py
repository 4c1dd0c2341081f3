"""The tables of the agent `conversation`, and the time at which it decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.engine.unit_of_work import UnitOfWork

SEEN: Final = "seen"
ASSEMBLIES: Final = "assemblies"
CONSENTS: Final = "consents"
REQUESTS: Final = "requests"
DIRECTORY: Final = "directory"
SUPPRESSIONS: Final = "suppressions"
#: The position of a table is its number in the changelog, so only append to this list.
TABLES: Final = (SEEN, ASSEMBLIES, CONSENTS, REQUESTS, DIRECTORY, SUPPRESSIONS)


def time_of_decision(work: UnitOfWork, told: datetime) -> datetime:
    """The time that the record states, or the partition's time if that is later."""
    return told if work.time is None or told > work.time else work.time
