"""Makes the unit of work of a batch: all records at once, or record by record if that fails."""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING, Final

from pipeline.engine.place_and_id import place_and_id
from pipeline.wrong_deploy import NeedsOperator

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.plan import Processor
    from pipeline.engine.state.state import State
    from pipeline.engine.unit_of_work import UnitOfWork

log = logging.getLogger(__name__)

CLOCK_RECORDS: Final = 16  # the age of a unit is checked once in this many records


def decide_batch(
    records: Sequence[ConsumerRecord],
    processor: Processor,
    state: State,
    *,
    new_work: Callable[[], UnitOfWork],
) -> tuple[UnitOfWork, int]:
    """The batch's unit of work, and how many records it includes.

    A record that fails again alone is refused.
    """
    work = new_work()
    process, written = processor.process_record, state.written
    try:
        for done, record in enumerate(records):
            if process(work, record):
                return work, done
            if written.octets > written.unit_octets or (done % CLOCK_RECORDS == 0 and work.is_full):
                return work, done + 1
    except NeedsOperator:
        raise
    except Exception as error:
        log.error("a batch of %d failed, record by record now: %s", len(records), _told(error))
        state.discard()
    else:
        return work, len(records)
    processor.restored(state)
    work = new_work()
    for done, record in enumerate(records):
        work.savepoint()
        try:
            if process(work, record):
                return work, done
        except Exception as error:
            where, name, named = place_and_id(record)
            log.error("%s, %s %s, refused: %s", where, name, named, _told(error))
            work.rollback()
            processor.refuse(work, record, error)
        if work.is_full:
            return work, done + 1
    return work, len(records)


def _told(error: Exception) -> str:
    """Kind and place of an error, without its words, which may quote a message or a number."""
    places = "".join(traceback.format_tb(error.__traceback__))
    return f"{type(error).__name__}\n{places}"
