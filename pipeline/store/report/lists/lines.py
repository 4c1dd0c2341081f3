"""Pages of `conversation_line`: what is asked of ClickHouse, and what is looked up for the rows.

A page is read from its place on, in the order of the table, and ends with its last row. What
became of a command, and the text of a request that was refused, are looked up for its rows alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.store.report.lists.conditions import conditions_of, state_named
from pipeline.store.report.lists.cursor import Cursor, RowsOfPage, page_of
from pipeline.store.report.lists.fates import REFUSED_OF_IDS, STATES_OF_IDS, TABLE
from pipeline.store.report.lists.filters import words_for_clickhouse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.store.query.questions import Questions
    from pipeline.store.report.lists.filters import Filters

PAGE_ROWS: Final = 50
#: For a page that is filtered by what became of commands so many times its rows are read, one after
#: the other, until it is full; then it is said how far was looked.
_ROUNDS: Final = (2, 8, 16)
#: So many commands of a state are named one by one.
_FEW_COMMANDS: Final = 50_000
_HOW_MANY: Final = f"""\
SELECT count() AS found FROM
    (SELECT 1 FROM twoway.mt_last_state_rows WHERE {{named}} LIMIT {_FEW_COMMANDS + 1})"""  # noqa: S608
_WENT_OUT: Final = "SELECT 1 AS found FROM twoway.mt_result_rows WHERE way = {way:String} LIMIT 1"
#: So many ids go into one question.
_AT_ONCE: Final = 2_000

LINE_COLUMNS: Final = (
    "at, id, record, direction, handset, number, api_id, account, way,"
    " keyword, text, encoding, parts, parts_missing, complete, lossy, flags, purpose, rule, detail,"
    " request_id, command_id, hex(key) AS of_key"
)


class LineReader:
    """Reads pages of lines."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def lines_page(
        self, filters: Filters, cursor: Cursor, *, size: int = PAGE_ROWS
    ) -> RowsOfPage:
        """A page, newest first, with what became of each command."""
        if filters.state or filters.code:
            return await self._page_sifted(filters, cursor, size)
        found = await self.read(filters, cursor, rows=size + 1)
        return page_of(found, pinned(cursor, found), size=size, at="at", id="id")

    async def read(self, filters: Filters, cursor: Cursor, *, rows: int) -> list[dict[str, Any]]:
        """The next lines in the cursor's order, each with what is looked up for it."""
        return await self.looked_up(await self._next(filters, cursor, rows))

    async def _next(self, filters: Filters, cursor: Cursor, rows: int) -> list[dict[str, Any]]:
        """The next lines, each once. What is there twice stands side by side, in rare cases."""
        where, given = await self.conditions(filters, cursor)
        found = await self._questions.rows(
            f"SELECT {LINE_COLUMNS}, now64(3, 'UTC') AS asked_at FROM {TABLE}"  # noqa: S608  names of ours
            f" WHERE {where} AND {cursor.condition('at', 'id')}"
            f" ORDER BY {cursor.order_by('at', 'id')} LIMIT {rows:d}",
            given | cursor.parameters(),
        )
        once = list({(row["at"], row["id"], row["handset"]): row for row in found}.values())
        if len(once) == len(found) or len(found) < rows:
            return once
        behind = behind_of(once[-1], pinned(cursor, once))
        return once + await self._next(filters, behind, rows - len(once))

    async def conditions(self, filters: Filters, cursor: Cursor) -> tuple[str, dict[str, Any]]:
        """What the lines must meet that the cursor can see, as SQL, and its parameters."""
        conditions, given = conditions_of(
            filters,
            is_rare=await self._is_rare(filters),
            is_way_out=await self._is_way_out(filters),
        )
        if cursor.as_of:
            conditions.append("stored_at <= {as_of:DateTime64(3, 'UTC')}")
        return " AND ".join(conditions) or "1", given | cursor.parameters()

    async def _is_rare(self, filters: Filters) -> bool:
        """Whether the commands of a state are few enough to name them."""
        if not (filters.state or filters.code):
            return True
        (row,) = await self._questions.rows(
            _HOW_MANY.replace("{named}", state_named(filters)),
            {"state": filters.state, "code": filters.code},
        )
        return bool(row["found"] <= _FEW_COMMANDS)

    async def _is_way_out(self, filters: Filters) -> bool:
        """Whether any command went out by the way of the filter."""
        if not filters.way:
            return False
        return bool(await self._questions.rows(_WENT_OUT, {"way": filters.way}))

    async def _page_sifted(self, filters: Filters, cursor: Cursor, size: int) -> RowsOfPage:
        kept: list[dict[str, Any]] = []
        place, reached = cursor, True
        for times in _ROUNDS:
            found = await self.read(filters, place, rows=times * size)
            kept += self.sifted(found, filters)
            if found:
                place = behind_of(found[-1], pinned(place, found))
            if len(found) < times * size or len(kept) > size:
                reached = False
                break
        page = page_of(
            kept, msgspec.structs.replace(cursor, as_of=place.as_of), size=size, at="at", id="id"
        )
        if not reached or place.at is None or cursor.is_newer:
            return page
        return msgspec.structs.replace(page, older=place.address(), reached=place.at)

    @staticmethod
    def sifted(rows: list[dict[str, Any]], filters: Filters) -> list[dict[str, Any]]:
        """The rows whose command stands as the filters say; all where they say nothing of it."""
        return [row for row in rows if _stands_so(row, filters)]

    async def looked_up(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows, with state, code, words and charge of commands, and texts of refusals."""
        for row in rows:
            row |= {"state": "", "code": "", "words": "", "charge": "", "state_at": None}
        commands = {row["id"]: row for row in rows if row["record"] == "mt-command"}
        by_key = {row["of_key"]: row for row in commands.values()}
        for given in _named(commands):
            for state in await self._questions.rows(STATES_OF_IDS, given):
                by_key[state.pop("of_key")] |= state
        refusals = {row["id"]: row for row in rows if row["record"] == "mt-rejection"}
        for given in _named(refusals):
            for refused in await self._questions.rows(REFUSED_OF_IDS, given):
                refusals[refused["id"]]["text"] = refused["text"]
        return rows


def pinned(cursor: Cursor, found: list[dict[str, Any]]) -> Cursor:
    """The same place; a first page saw what was stored then, and all behind it see the same."""
    if cursor.as_of or not found:
        return cursor
    return msgspec.structs.replace(cursor, as_of=found[0]["asked_at"])


def behind_of(row: dict[str, Any], cursor: Cursor) -> Cursor:
    """The place of a row, in the same direction."""
    return msgspec.structs.replace(cursor, at=row["at"], id=row["id"])


def _stands_so(row: dict[str, Any], filters: Filters) -> bool:
    return (not filters.state or row["state"] == filters.state) and (
        not filters.code or row["code"] == filters.code
    )


def _named(rows: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The ids of the rows as parameters, some at a time, and the stretch of time that has them."""
    ids = list(rows)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        times = [rows[id]["at"] for id in some]
        yield {
            "ids": some,
            "first_at": words_for_clickhouse(min(times)),
            "last_at": words_for_clickhouse(max(times)),
        }
