"""Pages of any list: what a page and an update show."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.store.report.lists.cursor import Cursor, RowsOfPage, page_of
from pipeline.store.report.lists.fates import LINES_THERE
from pipeline.store.report.lists.filters import Filters, filters_from_query, with_days
from pipeline.store.report.lists.lines import PAGE_ROWS, LineReader
from pipeline.store.report.lists.standing import StandingReader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.store.query.questions import Questions
    from pipeline.store.report.lists.listings import Listing

#: The overview counts so many lines at most, if nobody asks for a first day, and at least one day.
MOST_LINES: Final = 250_000
_LINES_OF_DAYS: Final = """\
SELECT toStartOfDay(at) AS day, count() AS lines FROM twoway.conversation_line_rows
WHERE at >= {since:DateTime64(3, 'UTC')} AND at <= {until:DateTime64(3, 'UTC')}
GROUP BY day ORDER BY day DESC"""


class ListReader:
    """Reads lists."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._lines = LineReader(questions)
        self._standing = StandingReader(questions)

    async def filters(self, listing: Listing, query: Mapping[str, str]) -> Filters:
        """The filters of a request for a list; raises `BadFilter`.

        Messages, and what holds now, are of whatever time. Of other lists the last 30 days are
        read, unless the address says else.
        """
        filters = filters_from_query(query)
        if not listing.sql:
            return msgspec.structs.replace(filters, **listing.fixed)
        if listing.is_standing:
            return filters
        return await self.with_days(filters)

    async def with_days(self, filters: Filters) -> Filters:
        """The same; without a first time, the 30 days up to the newest message."""
        if filters.since:
            return filters
        (row,) = await self._questions.rows(LINES_THERE)
        return with_days(filters, newest=row["newest"] if row["lines"] else None)

    async def with_few_lines(self, filters: Filters, *, most: int = MOST_LINES) -> Filters:
        """The same; without a first time, the newest days with few lines, up to 30."""
        if filters.since:
            return filters
        limited = await self.with_days(filters)
        days = await self._questions.rows(_LINES_OF_DAYS, limited.parameters())
        sums = accumulate(row["lines"] for row in days)
        whole = [row["day"] for row, lines in zip(days, sums, strict=True) if lines <= most]
        if len(whole) == len(days):
            return limited
        return msgspec.structs.replace(limited, since=whole[-1] if whole else days[0]["day"])

    async def page(
        self, listing: Listing, filters: Filters, cursor: Cursor, *, size: int = PAGE_ROWS
    ) -> RowsOfPage:
        """A page of a list, newest first."""
        if not listing.sql:
            if filters.state or filters.code:
                return await self._standing.standing_page(filters, cursor, size=size)
            return await self._lines.lines_page(filters, cursor, size=size)
        at, id = listing.key
        found = await self._behind(listing, filters, cursor, size + 1)
        return page_of(found, cursor, size=size, at=at, id=id)

    async def _behind(
        self, listing: Listing, filters: Filters, cursor: Cursor, rows: int
    ) -> list[dict[str, Any]]:
        if listing.quick_sql and cursor.at is None:
            found = await self._read(listing, listing.quick_sql, filters, cursor, rows)
            if len(found) >= rows:
                return found
        return await self._read(listing, listing.sql, filters, cursor, rows)

    async def _read(
        self, listing: Listing, sql: str, filters: Filters, cursor: Cursor, rows: int
    ) -> list[dict[str, Any]]:
        at, id = listing.key
        where, own = listing.own_conditions(filters)
        begun = f"SELECT * FROM ({sql}) WHERE"  # noqa: S608  of ours
        if listing.takes_conditions:
            begun = f"{sql} AND"
        return await self._questions.rows(
            f"{begun} {where} AND {cursor.condition(at, id)}"
            f" ORDER BY {cursor.order_by(at, id)} LIMIT {rows:d}",
            filters.parameters() | cursor.parameters() | own,
        )
