"""A worker that stops itself with SIGSTOP, once, at a given await of the engine; for the chaos.

    python -m tests.chaos.stopping_worker PLACE NTH --home HOME

It is `twoway worker`, with that await wrapped here: the worker itself has no code for it. The
process that started the worker sees it stop, and sends SIGCONT long after the other workers have
taken over.
"""

from __future__ import annotations

import itertools
import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from aiokafka import AIOKafkaProducer

from pipeline.cli import main as cli
from pipeline.engine.state.restore import CommittedOffsets

if TYPE_CHECKING:
    from collections.abc import Callable


class Place(NamedTuple):
    """Before or after an await. `often`: it is reached with every batch, not at the start only."""

    owner: type
    name: str
    before: bool
    often: bool


PLACES: Final = {
    "between assignment and fence": Place(AIOKafkaProducer, "start", before=True, often=False),
    "between fence and restore": Place(AIOKafkaProducer, "start", before=False, often=False),
    "between restore and offsets": Place(CommittedOffsets, "read", before=True, often=False),
    "inside a transaction": Place(
        AIOKafkaProducer, "send_offsets_to_transaction", before=True, often=True
    ),
    "before a commit": Place(AIOKafkaProducer, "commit_transaction", before=True, often=True),
    "after a commit": Place(AIOKafkaProducer, "commit_transaction", before=False, often=True),
}


def stop_at(place: Place, nth: int) -> None:
    """Make this process stop when the place is reached for the nth time."""
    real: Callable[..., Any] = getattr(place.owner, place.name)
    reached = itertools.count(1)

    async def stopping(self: Any, *given: Any, **named: Any) -> Any:
        is_it = _is_of_the_engine(self) and next(reached) == nth
        if is_it and place.before:
            os.kill(os.getpid(), signal.SIGSTOP)
        result = await real(self, *given, **named)
        if is_it and not place.before:
            os.kill(os.getpid(), signal.SIGSTOP)
        return result

    setattr(place.owner, place.name, stopping)


def _is_of_the_engine(owner: Any) -> bool:
    """Whether the producer is the engine's; the producer of the ticks has no transactions."""
    return not isinstance(owner, AIOKafkaProducer) or owner._txn_manager is not None


if __name__ == "__main__":
    words, nth, *rest = sys.argv[1:]
    stop_at(PLACES[words], int(nth))
    sys.argv = ["twoway", "worker", *rest]
    cli.main()
