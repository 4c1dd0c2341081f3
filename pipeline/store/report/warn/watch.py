"""Looks for what an operator must know, over and over; what waits is shown as metrics."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pipeline.process.log_guard import words_for_log
from pipeline.store import metrics
from pipeline.store.report.warn import balance, sending, silence
from pipeline.store.report.warn.waiting import show_waiting
from pipeline.store.report.warn.warning import KindOfWarning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pipeline.store.query.questions import Questions
    from pipeline.store.report.warn.warning import OperatorWarning

log = logging.getLogger(__name__)

#: Every kind, in the order of the banner. Another kind is another entry here.
KINDS: Final = (
    KindOfWarning(sending.GATEWAY_REFUSES, sending.gateway_refuses),
    KindOfWarning(sending.NO_CREDIT, sending.no_credit),
    KindOfWarning(balance.LOW_BALANCE, balance.low_balance),
    KindOfWarning(silence.SILENT_NUMBERS, silence.silent_numbers),
    KindOfWarning(sending.CONFIRMATIONS_OVERDUE, sending.confirmations_overdue),
    KindOfWarning(sending.CONFIRMATIONS_NEAR, sending.confirmations_near),
    KindOfWarning(sending.UNKNOWN_RESULTS, sending.unknown_results),
)
LOOK_SECONDS: Final = 30.0
#: A local stack's clock may have been advanced: then the newest message says what time it is.
_NOW: Final = """\
SELECT greatest(now64(3, 'UTC'), max(at)) AS moment FROM twoway.conversation_line_rows"""


class Warnings:
    """What was found last. `changed` is called once it is another."""

    def __init__(
        self,
        questions: Questions,
        *,
        kinds: Sequence[KindOfWarning] = KINDS,
        changed: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._questions = questions
        self._kinds = kinds
        self._changed = changed
        self._found: dict[str, OperatorWarning] = {}

    @property
    def standing(self) -> list[OperatorWarning]:
        """The warnings that stand, in the order of `KINDS`."""
        return [self._found[kind.name] for kind in self._kinds if kind.name in self._found]

    async def look_on(self) -> None:
        """Look every half a minute, until cancelled."""
        while True:
            await self.look_once()
            await asyncio.sleep(LOOK_SECONDS)

    async def look_once(self) -> None:
        """Look for each kind. One that cannot be asked for stays as it was."""
        before = self.standing
        try:
            (row,) = await self._questions.rows(_NOW)
            now = max(row["moment"], datetime.now(UTC))
            for kind in self._kinds:
                found = await kind.look(self._questions.rows, now)
                self._found.pop(kind.name, None)
                if found is not None:
                    self._found[kind.name] = found
                metrics.WARNING.labels(kind.name).set(found.count if found else 0)
            await show_waiting(self._questions.rows, now)
        except Exception as error:  # whatever it is, pages go on, and it is looked for again
            log.warning("warnings could not be looked for: %s", words_for_log(error))
        if self.standing != before:
            self._changed(len(self.standing))
