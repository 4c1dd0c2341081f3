"""Counts blocks, and what their records say: messages, commands, refusals and stops.

The store counts, and not the worker: it sees every record and has time. Numbers are numbers of
ours, and a bounded count of them; a handset is never a label. A reply goes out from a number or
a listed sender ID, or the gate refuses it. A confirmation goes out from what was texted, which a
stranger may have chosen; it has mo=1 exactly if that is a number of ours (`may_be_answered`).
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Final

from pipeline.records import (
    ConsentChange,
    ConsentState,
    Flag,
    MoMessage,
    MtCommand,
    MtRejection,
    Purpose,
)
from pipeline.store import metrics
from pipeline.store.decoding import TABLE_OF

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from aiokafka.structs import ConsumerRecord

    from pipeline.store.decoding import TableRows
    from pipeline.store.rows import Row

#: The most numbers with series of their own in one process.
MOST_NUMBERS: Final = 500
#: The label of numbers beyond that.
OTHER: Final = "other"
#: The label of a number that numbers.toml does not have. A stranger may have chosen it.
UNKNOWN: Final = "unknown"


class Tallies:
    """The counters of one process."""

    def __init__(self, *, most_numbers: int = MOST_NUMBERS) -> None:
        self._most_numbers = most_numbers
        self._numbers: set[str] = set()
        self._count_of: dict[str, Callable[[TableRows], None]] = {
            TABLE_OF[MoMessage]: self._messages,
            TABLE_OF[MtCommand]: self._commands,
            TABLE_OF[MtRejection]: self._refusals,
            TABLE_OF[ConsentChange]: self._stops,
        }

    @staticmethod
    def count_block(topic: str, records: Sequence[ConsumerRecord]) -> None:
        """Count a block that can be asked for now, its records, and the age of the oldest."""
        metrics.ROWS.labels(topic).inc(len(records))
        metrics.BLOCKS.labels(topic).inc()
        if records:
            oldest = min(record.timestamp for record in records)
            metrics.AGE_SECONDS.observe(max(0.0, time.time() - oldest / 1000))

    def count_rows(self, table: TableRows) -> None:
        """Count the rows of a block, if they are of a table that is counted."""
        count = self._count_of.get(table.table)
        if count is not None and table.rows:
            count(table)

    def _messages(self, table: TableRows) -> None:
        found = Counter(
            (UNKNOWN if Flag.UNKNOWN_NUMBER in flags else number, way)
            for number, way, flags in _columns(table, "number", "source", "flags")
        )
        for (number, way), count in found.items():
            metrics.MESSAGES.labels(self._label_of(number), way).inc(count)

    def _commands(self, table: TableRows) -> None:
        found = Counter(
            (sender if is_ours or purpose == Purpose.REPLY else UNKNOWN, purpose)
            for sender, is_ours, purpose in _columns(table, "sender_id", "mo", "purpose")
        )
        for (sender, purpose), count in found.items():
            metrics.COMMANDS.labels(self._label_of(sender), purpose).inc(count)

    def _refusals(self, table: TableRows) -> None:
        for (rule,), count in Counter(_columns(table, "rule")).items():
            metrics.REFUSALS.labels(rule).inc(count)

    def _stops(self, table: TableRows) -> None:
        found = Counter(_columns(table, "previous_state", "state", "rule"))
        for (before, now, rule), count in found.items():
            if before == ConsentState.OPEN != now:
                metrics.STOPS.labels(rule).inc(count)

    def _label_of(self, number: str) -> str:
        if number in self._numbers or number == UNKNOWN:
            return number
        if len(self._numbers) >= self._most_numbers:
            return OTHER
        self._numbers.add(number)
        return number


def _columns(table: TableRows, *names: str) -> Iterator[Row]:
    """The values of these columns, row by row."""
    places = [table.columns.index(name) for name in names]
    return (tuple(row[place] for place in places) for row in table.rows)
