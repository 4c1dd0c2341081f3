"""Stretches of time in which a page's lines are looked for, the nearest first and each longer.

A question about all of time reads in every part of the table until it finds a line there. Where the
lines are far from each other that is much, and nearly all of it is thrown away: the newest part
fills the page.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pipeline.store.report.lists.filters import EARLIEST, LATEST, words_for_clickhouse

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipeline.store.report.lists.cursor import Cursor

#: From the beginning of one stretch to the end of another, in hours.
SEVERAL_STEPS: Final = (2.0, 48.0, 960.0)
#: Where each question costs something by itself.
ONE_STEP: Final = (24.0,)
#: Of so many lines a page is nearly always full, in the first round.
_ENOUGH: Final = 300
_FROM: Final = "at >= {stretch_from:DateTime64(3, 'UTC')}"
_TO: Final = "at < {stretch_to:DateTime64(3, 'UTC')}"


class TimeStretch(NamedTuple):
    """From `since` on, until before `until`; None is without an end."""

    since: datetime | None = None
    until: datetime | None = None

    def as_sql(self) -> str:
        """The stretch as SQL over the lines."""
        ends = ((_FROM, self.since), (_TO, self.until))
        return " AND ".join(sql for sql, at in ends if at) or "1"

    def parameters(self) -> dict[str, Any]:
        """The parameters of the condition."""
        ends = (("stretch_from", self.since), ("stretch_to", self.until))
        return {name: words_for_clickhouse(at) for name, at in ends if at}


def stretches_from(
    begin: datetime | None,
    cursor: Cursor,
    hours: Sequence[float],
    *,
    oldest: datetime = EARLIEST,
    newest: datetime = LATEST,
) -> Iterator[TimeStretch]:
    """Stretches that have every time once, in the cursor's order, in steps from `begin`.

    The stretch that has the last line that is known is without an end: nothing is behind it.
    """
    before: datetime | None = None
    for each in hours:
        if begin is None:
            break
        end = _shifted(begin, each if cursor.is_newer else -each)
        if end > newest if cursor.is_newer else end <= oldest:
            break
        yield TimeStretch(before, end) if cursor.is_newer else TimeStretch(end, before)
        before = end
    yield TimeStretch(before, None) if cursor.is_newer else TimeStretch(None, before)


def hours_of_some(found: int, oldest: datetime, newest: datetime) -> tuple[float, ...]:
    """The hours that should have enough lines for a page, of so many over this time."""
    hours = (newest - oldest) / timedelta(hours=1)
    return (hours * _ENOUGH / found,) if found > _ENOUGH else ()


def _shifted(begin: datetime, hours: float) -> datetime:
    """The time so many hours later, to the millisecond, within what ClickHouse can hold."""
    left = (EARLIEST - begin) if hours < 0 else (LATEST - begin)
    asked = timedelta(milliseconds=round(hours * 3_600_000))
    return begin + (max(left, asked) if hours < 0 else min(left, asked))
