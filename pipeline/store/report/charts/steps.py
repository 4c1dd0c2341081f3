"""Stretches of time along a chart: five minutes, an hour, a day, a week or a month, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.store.report.lists.filters import BadFilter

if TYPE_CHECKING:
    from collections.abc import Iterator

#: So many stretches are drawn where the address does not say how long one is.
_FEW: Final = 110
#: An address may ask for so many at most.
MOST: Final = 1_000


class StretchOfTime(msgspec.Struct, frozen=True, kw_only=True):
    """A length of time by which a chart is cut; `sql` gives the beginning of a time's stretch."""

    name: str
    about: timedelta  # a month has about 30 days
    sql: str
    form: str  # of a beginning, as strftime takes it
    short: str  # the same below an axis, where room is little

    def bucket_of(self, column: str) -> str:
        """The beginning of the stretch that a column's time is in, as SQL."""
        return self.sql.replace("{}", column)

    def beginning(self, at: datetime) -> datetime:
        """The beginning of the stretch that a time is in."""
        day = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        match self.name:
            case "5-minutes":
                return day + (at - day) // self.about * self.about
            case "hour":
                return at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
            case "week":
                return day - timedelta(days=day.weekday())
            case "month":
                return day.replace(day=1)
        return day

    def next_beginning(self, beginning: datetime) -> datetime:
        """The beginning of the next stretch."""
        if self.name == "month":
            return (beginning + timedelta(days=32)).replace(day=1)
        return beginning + self.about

    def between(self, since: datetime, until: datetime) -> list[datetime]:
        """The beginnings of all stretches of a time; raises `BadFilter` for too many."""
        if (until - since) / self.about > MOST:
            raise BadFilter(f"that is more than {MOST:,} times {self.name}: say a longer step")
        return list(self._all(since, until))

    def _all(self, since: datetime, until: datetime) -> Iterator[datetime]:
        at = self.beginning(since)
        while at < until:
            yield at
            at = self.next_beginning(at)


STRETCHES: Final = {
    each.name: each
    for each in (
        StretchOfTime(
            name="5-minutes", about=timedelta(minutes=5), form="%Y-%m-%d %H:%M", short="%H:%M",
            sql="toStartOfInterval({}, INTERVAL 5 MINUTE, 'UTC')",
        ),
        StretchOfTime(
            name="hour", about=timedelta(hours=1), form="%Y-%m-%d %H:%M", short="%d. %H:%M",
            sql="toStartOfHour({}, 'UTC')",
        ),
        StretchOfTime(
            name="day", about=timedelta(days=1), form="%Y-%m-%d", short="%m-%d",
            sql="toStartOfDay({}, 'UTC')",
        ),
        StretchOfTime(
            name="week", about=timedelta(weeks=1), form="%Y-%m-%d", short="%m-%d",
            sql="toDateTime(toMonday({}, 'UTC'), 'UTC')",
        ),
        StretchOfTime(
            name="month", about=timedelta(days=30), form="%Y-%m", short="%Y-%m",
            sql="toDateTime(toStartOfMonth({}, 'UTC'), 'UTC')",
        ),
    )
}  # fmt: skip


def stretch_for(since: datetime, until: datetime, name: str = "") -> StretchOfTime:
    """The stretch of that name, else the shortest that gives few; raises `BadFilter`."""
    if name:
        if name not in STRETCHES:
            raise BadFilter(f"step is none of {', '.join(STRETCHES)}")
        return STRETCHES[name]
    fitting = [each for each in STRETCHES.values() if (until - since) / each.about <= _FEW]
    return fitting[0] if fitting else STRETCHES["month"]
