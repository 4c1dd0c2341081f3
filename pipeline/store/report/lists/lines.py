"""Pages of `conversation_line`: what is asked of ClickHouse, and what is looked up for the rows.

A page is read from its place on, in the order of the table, and ends with its last row. What
became of a command, and the text of a request that was refused, are looked up for its rows alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from pipeline.store.report.lists.conditions import conditions_of, state_named
from pipeline.store.report.lists.cursor import Cursor, RowsOfPage, page_of
from pipeline.store.report.lists.fates import LINES_THERE, REFUSED_OF_IDS, STATES_OF_IDS, TABLE
from pipeline.store.report.lists.filters import EARLIEST, LATEST, words_for_clickhouse
from pipeline.store.report.lists.stretches import (
    ONE_STEP,
    SEVERAL_STEPS,
    TimeStretch,
    hours_of_some,
    stretches_from,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from pipeline.store.query.questions import Questions
    from pipeline.store.report.lists.filters import Filters

PAGE_ROWS: Final = 50
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


class AskedLines(NamedTuple):
    """What the filters ask of a line, as SQL, and its parameters.

    `begin`, `hours`: where the lines are looked for first; `oldest`, `newest`: where they end.
    """

    conditions: list[str]
    given: dict[str, Any]
    begin: datetime | None = None
    hours: tuple[float, ...] = ()
    oldest: datetime = EARLIEST
    newest: datetime = LATEST

    def seen_by(self, cursor: Cursor) -> str:
        """The conditions on the lines that the cursor can see."""
        seen = ["stored_at <= {as_of:DateTime64(3, 'UTC')}"] if cursor.as_of else []
        return " AND ".join([*self.conditions, *seen]) or "1"


class LineReader:
    """Reads pages of lines."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def lines_page(
        self, filters: Filters, cursor: Cursor, *, size: int = PAGE_ROWS
    ) -> RowsOfPage:
        """A page, newest first, with what became of each command."""
        found = await self.read(filters, cursor, rows=size + 1)
        return page_of(found, pinned(cursor, found), size=size, at="at", id="id")

    async def read(self, filters: Filters, cursor: Cursor, *, rows: int) -> list[dict[str, Any]]:
        """The next lines in the cursor's order, each with what is looked up for it."""
        asked = await self.asked_lines(filters)
        return await self.looked_up(await self.next(asked, cursor, rows))

    async def next(
        self, asked: AskedLines, cursor: Cursor, rows: int, columns: str = LINE_COLUMNS
    ) -> list[dict[str, Any]]:
        """The next lines, each once. What is there twice stands side by side, in rare cases."""
        found: list[dict[str, Any]] = []
        begin, ends = cursor.at or asked.begin, {"oldest": asked.oldest, "newest": asked.newest}
        for stretch in stretches_from(begin, cursor, asked.hours, **ends):
            found += await self._within(asked, stretch, cursor, rows - len(found), columns)
            if len(found) == rows:
                break
        return found

    async def _within(
        self, asked: AskedLines, stretch: TimeStretch, cursor: Cursor, rows: int, columns: str
    ) -> list[dict[str, Any]]:
        found = await self._questions.rows(
            f"SELECT {columns}, now64(3, 'UTC') AS asked_at FROM {TABLE}"  # noqa: S608  names of ours
            f" WHERE {asked.seen_by(cursor)} AND {stretch.as_sql()}"
            f" AND {cursor.condition('at', 'id')}"
            f" ORDER BY {cursor.order_by('at', 'id')} LIMIT {rows:d}",
            asked.given | stretch.parameters() | cursor.parameters(),
        )
        once = list({place_of_line(row): row for row in found}.values())
        if len(once) == len(found) or len(found) < rows:
            return once
        behind = behind_of(once[-1], pinned(cursor, once))
        return once + await self._within(asked, stretch, behind, rows - len(once), columns)

    async def conditions(self, filters: Filters, cursor: Cursor) -> tuple[str, dict[str, Any]]:
        """What the lines must meet that the cursor can see, as SQL, and its parameters."""
        asked = await self.asked_lines(filters)
        return asked.seen_by(cursor), asked.given | cursor.parameters()

    async def asked_lines(self, filters: Filters) -> AskedLines:
        """What the filters ask of a line."""
        found = await self._found(filters)
        is_rare = found <= _FEW_COMMANDS
        is_way_out = await self._is_way_out(filters)
        conditions, given = conditions_of(filters, is_rare=is_rare, is_way_out=is_way_out)
        if filters.handset or not filters.given().keys() - {"from", "to"}:
            # The lines are found by an index, or stand side by side.
            return AskedLines(conditions, given)
        (lines,) = await self._questions.rows(LINES_THERE)
        hours: tuple[float, ...] = (
            ONE_STEP if filters.consent or filters.text or is_way_out else SEVERAL_STEPS
        )
        if found and is_rare:
            hours = hours_of_some(found, lines["oldest"], lines["newest"])
        if not lines["lines"]:
            return AskedLines(conditions, given, None, hours)
        oldest = max(filters.since or EARLIEST, lines["oldest"])
        newest = min(filters.until or LATEST, lines["newest"])
        return AskedLines(conditions, given, newest, hours, oldest, newest)

    async def _found(self, filters: Filters) -> int:
        """How many commands once had the state, if they are few; else more than few."""
        if not (filters.state or filters.code):
            return 0
        (row,) = await self._questions.rows(
            _HOW_MANY.replace("{named}", state_named(filters)),
            {"state": filters.state, "code": filters.code},
        )
        return int(row["found"])

    async def _is_way_out(self, filters: Filters) -> bool:
        """Whether any command went out by the way of the filter."""
        if not filters.way:
            return False
        return bool(await self._questions.rows(_WENT_OUT, {"way": filters.way}))

    async def looked_up(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows, with state, code, words and charge of commands, and texts of refusals."""
        for row in rows:
            row |= {"state": "", "code": "", "words": "", "charge": "", "state_at": None}
        commands = {row["id"]: row for row in rows if row["record"] == "mt-command"}
        by_key = {row["of_key"]: row for row in commands.values()}
        for given in with_times(commands):
            for state in await self._questions.rows(STATES_OF_IDS, given):
                by_key[state.pop("of_key")] |= state
        refusals = {row["id"]: row for row in rows if row["record"] == "mt-rejection"}
        for given in with_times(refusals):
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


def place_of_line(row: Mapping[str, Any]) -> tuple[datetime, str, str]:
    """What makes a row one line."""
    return row["at"], row["id"], row["handset"]


def with_times(rows: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
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
