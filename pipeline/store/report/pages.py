"""The pages of the report, rendered as whole HTML without scripts or external files."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.store.report import listings
from pipeline.store.report.csv_answer import csv_from_rows
from pipeline.store.report.filters import LATEST, Filters, filters_from_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipeline.store.query.questions import Questions
    from pipeline.store.report.listings import Listing

HERE: Final = Path(__file__).parent
STYLE: Final = (HERE / "static" / "report.css").read_bytes()
CSV_ROWS: Final = 100_000
CONVERSATION_ROWS: Final = 1_000
#: Rows of each list on the first page.
OVERVIEW: Final = {
    "conversations": 12,
    "per-day": 21,
    "opt-outs": 12,
    "sent": 12,
    "refusals": 12,
    "incomplete": 8,
    "dead-letters": 8,
    "attempts": 8,
}


class Pages:
    """Queries ClickHouse and renders the answers as pages."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {"time": _words_from_time, "count": lambda n: f"{n:,}"}

    async def filters(self, query: Mapping[str, str]) -> Filters:
        """The filters of a request; raises `BadFilter`."""
        (row,) = await self._questions.rows(listings.NEWEST)
        return filters_from_query(query, newest=row["newest"] if row["messages"] else None)

    async def overview(self, filters: Filters) -> str:
        """The first page."""
        names = list(OVERVIEW)
        totals, numbers, *tables = await asyncio.gather(
            self._questions.rows(listings.TOTALS, filters.parameters()),
            self._questions.rows(listings.NUMBERS, filters.parameters()),
            *(self._rows(listings.LISTINGS[name], filters, OVERVIEW[name]) for name in names),
        )
        days = [(row["received"], row["sent"]) for row in tables[names.index("per-day")]]
        return self._render(
            "overview.html",
            filters,
            totals=totals[0],
            numbers=[row["number"] for row in numbers],
            sections=[
                (listings.LISTINGS[name], rows, len(rows) == OVERVIEW[name])
                for name, rows in zip(names, tables, strict=True)
            ],
            tallest=max((max(pair) for pair in days), default=0) or 1,
        )

    async def conversation(self, filters: Filters) -> str:
        """One handset's messages in order, and its current consent."""
        rows, states = await asyncio.gather(
            self._rows(listings.ONE_CONVERSATION, filters, CONVERSATION_ROWS),
            self._questions.rows(listings.STATE_COUNTS, filters.parameters()),
        )
        return self._render(
            "conversation.html",
            filters,
            rows=rows,
            states=states,
            is_cut=len(rows) == CONVERSATION_ROWS,
        )

    async def listing(self, listing: Listing, filters: Filters) -> str:
        """One list, with more rows than on the first page."""
        rows = await self._rows(listing, filters, CONVERSATION_ROWS)
        return self._render(
            "listing.html",
            filters,
            listing=listing,
            rows=rows,
            is_cut=len(rows) == CONVERSATION_ROWS,
        )

    async def csv(self, listing: Listing, filters: Filters) -> bytes:
        """One list as CSV."""
        sql = f"{listing.sql}\nLIMIT {CSV_ROWS}"
        columns, rows = await self._questions.table(sql, filters.parameters())
        return await asyncio.to_thread(csv_from_rows, columns, rows)

    async def _rows(self, listing: Listing, filters: Filters, limit: int) -> list[dict[str, Any]]:
        return await self._questions.rows(f"{listing.sql}\nLIMIT {limit:d}", filters.parameters())

    def _render(self, template: str, filters: Filters, **values: Any) -> str:
        return self._templates.get_template(template).render(
            filters=filters,
            until="" if filters.until == LATEST else filters.until.isoformat(),
            now=datetime.now(UTC),
            **values,
        )


def _words_from_time(value: datetime | date | None) -> str:
    """`2026-03-31 12:00:05`, UTC."""
    if value is None:
        return ""
    return value.strftime("%Y-%m-%d %H:%M:%S" if isinstance(value, datetime) else "%Y-%m-%d")
