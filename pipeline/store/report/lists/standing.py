"""Pages of the commands that stand in a state now.

Which commands are on such a page is told by their keys. So the keys of many are read, and only then
the lines that are shown: of a rare state they are far from each other, and a line costs as much as
a thousand beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.store.report.lists.cursor import Cursor, RowsOfPage, page_of
from pipeline.store.report.lists.fates import STATES_OF_IDS, TABLE
from pipeline.store.report.lists.filters import words_for_clickhouse
from pipeline.store.report.lists.lines import (
    LINE_COLUMNS,
    PAGE_ROWS,
    LineReader,
    behind_of,
    pinned,
    place_of_line,
    with_times,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pipeline.store.query.questions import Questions
    from pipeline.store.report.lists.filters import Filters

#: The keys of so many times a page's rows are read, one after the other, until it is full; then it
#: is said how far was looked. The states of 1,200 commands cost little more than those of 400.
_ROUNDS: Final = (2, 24)
_KEY_COLUMNS: Final = "at, id, handset, hex(key) AS of_key"
_OF_KEYS: Final = f"""\
SELECT {LINE_COLUMNS} FROM {TABLE} WHERE record = 'mt-command'
AND at IN {{times:Array(DateTime64(3, 'UTC'))}} AND id IN {{ids:Array(String)}}"""  # noqa: S608  names of ours


class StandingReader:
    """Reads pages of lines that are filtered by state or code."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._lines = LineReader(questions)

    async def standing_page(
        self, filters: Filters, cursor: Cursor, *, size: int = PAGE_ROWS
    ) -> RowsOfPage:
        """A page, newest first; it may end before it is full, and then says how far was looked."""
        asked = await self._lines.asked_lines(filters)
        kept: list[dict[str, Any]] = []
        place, reached = cursor, True
        for times in _ROUNDS:
            found = await self._lines.next(asked, place, times * size, _KEY_COLUMNS)
            kept += await self._standing_so(found, filters)
            if found:
                place = behind_of(found[-1], pinned(place, found))
            if len(found) < times * size or len(kept) > size:
                reached = False
                break
        page = page_of(
            kept, msgspec.structs.replace(cursor, as_of=place.as_of), size=size, at="at", id="id"
        )
        page = msgspec.structs.replace(page, rows=await self._whole(page.rows))
        if not reached or place.at is None or cursor.is_newer:
            return page
        return msgspec.structs.replace(page, older=place.address(), reached=place.at)

    async def _standing_so(
        self, found: list[dict[str, Any]], filters: Filters
    ) -> list[dict[str, Any]]:
        """The lines whose command stands as the filters say, each with its state."""
        by_key: dict[str, dict[str, Any]] = {}
        for ids in with_times({row["id"]: row for row in found}):
            for state in await self._questions.rows(STATES_OF_IDS, ids):
                by_key[state.pop("of_key")] = state
        return [
            row | by_key[row["of_key"]]
            for row in found
            if row["of_key"] in by_key and _stands_so(by_key[row["of_key"]], filters)
        ]

    async def _whole(self, rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The commands with all their columns. One that was erased in between is missing."""
        if not rows:
            return []
        given = {
            "ids": [row["id"] for row in rows],
            "times": [words_for_clickhouse(row["at"]) for row in rows],
        }
        whole = {place_of_line(row): row for row in await self._questions.rows(_OF_KEYS, given)}
        return [{**whole[place_of_line(row)], **row} for row in rows if place_of_line(row) in whole]


def _stands_so(row: Mapping[str, Any], filters: Filters) -> bool:
    return (not filters.state or row["state"] == filters.state) and (
        not filters.code or row["code"] == filters.code
    )
