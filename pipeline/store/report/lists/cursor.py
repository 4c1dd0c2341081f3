"""A place in a list, in a page's address: where the page before ended, and what it could see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from pipeline.store.report.lists.filters import BadFilter, time_of_filter, words_for_clickhouse

PLACE_NAMES: Final = frozenset({"before", "after", "as_of"})
_LONGEST_ID: Final = 128


class Cursor(msgspec.Struct, frozen=True, kw_only=True):
    """Rows behind (`at`, `id`) in the list, or before it; of those stored until `as_of`."""

    at: datetime | None = None
    id: str = ""
    is_newer: bool = False
    as_of: datetime | None = None

    def parameters(self) -> dict[str, Any]:
        """The parameters for ClickHouse."""
        given = (
            {"cursor_at": words_for_clickhouse(self.at), "cursor_id": self.id} if self.at else {}
        )
        seen = {"as_of": words_for_clickhouse(self.as_of)} if self.as_of else {}
        return given | seen

    def address(self) -> dict[str, str]:
        """The place as the parameters of an address."""
        name = "after" if self.is_newer else "before"
        place = {name: place_of(self.at, self.id)} if self.at else {}
        return place | ({"as_of": iso_from_time(self.as_of)} if self.as_of else {})

    def condition(self, at: str, id: str) -> str:
        """The rows behind the place, as SQL of the two columns by which the list is sorted."""
        if self.at is None:
            return "1"
        sign = ">" if self.is_newer else "<"
        # The first comparison is what the primary index is asked for.
        return (
            f"{at} {sign}= {{cursor_at:DateTime64(3, 'UTC')}}"
            f" AND ({at}, {id}) {sign} ({{cursor_at:DateTime64(3, 'UTC')}}, {{cursor_id:String}})"
        )

    def order_by(self, at: str, id: str) -> str:
        """The order in which the rows are read: the nearest to the place first."""
        way = "ASC" if self.is_newer else "DESC"
        return f"{at} {way}, {id} {way}"


class RowsOfPage(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of a list, newest first, and the parameters of the pages beside."""

    rows: Sequence[Mapping[str, Any]]
    older: dict[str, str] | None
    newer: dict[str, str] | None
    as_of: datetime | None = None
    reached: datetime | None = None  # how far was looked, where that ended before the page was full


def cursor_from_query(query: Mapping[str, str]) -> Cursor:
    """The place that an address names; raises `BadFilter`."""
    if "before" in query and "after" in query:
        raise BadFilter("before and after exclude each other")
    is_newer = "after" in query
    given = query.get("after" if is_newer else "before", "")
    as_of = time_of_filter(query, "as_of")
    if not given:
        return Cursor(as_of=as_of)
    at, comma, id = given.partition(",")
    if not comma or not at or len(id) > _LONGEST_ID or "\0" in id:
        raise BadFilter("the place in the list cannot be read: begin at its first page")
    name = "after" if is_newer else "before"
    return Cursor(at=time_of_filter({name: at}, name), id=id, is_newer=is_newer, as_of=as_of)


def place_of(at: datetime, id: str) -> str:
    """A row's place, as `cursor_from_query` reads it."""
    return f"{iso_from_time(at)},{id}"


def iso_from_time(at: datetime) -> str:
    """To the millisecond, as ClickHouse has it, in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def page_of(
    found: Sequence[Mapping[str, Any]], cursor: Cursor, *, size: int, at: str, id: str
) -> RowsOfPage:
    """The page of rows that were read in the cursor's order, one more than the page has."""
    has_more = len(found) > size
    rows = list(found[:size])
    if cursor.is_newer:
        rows.reverse()
    if not rows:
        return RowsOfPage(rows=[], older=None, newer=None, as_of=cursor.as_of)
    last, first = rows[-1], rows[0]
    older = Cursor(at=last[at], id=str(last[id]), as_of=cursor.as_of).address()
    newer = Cursor(at=first[at], id=str(first[id]), as_of=cursor.as_of, is_newer=True).address()
    return RowsOfPage(
        rows=rows,
        older=older if has_more or cursor.is_newer else None,
        newer=newer if (has_more if cursor.is_newer else cursor.at is not None) else None,
        as_of=cursor.as_of,
    )
