"""Reads whole lists for downloads, newest first, some rows at a time, as columns of Arrow.

A row is never an object of Python here: a row would take longer than all that is done with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.store.report.export.arrow import prepare_arrow
from pipeline.store.report.export.looked_up import LOOKED_UP, LookedUpLines
from pipeline.store.report.lists.cursor import Cursor
from pipeline.store.report.lists.fates import TABLE
from pipeline.store.report.lists.lines import LINE_COLUMNS, LineReader

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence

    from pipeline.store.query.questions import Questions
    from pipeline.store.report.lists.columns import Column
    from pipeline.store.report.lists.filters import Filters
    from pipeline.store.report.lists.listings import Listing

#: Rows that are read at once: a session is held for these alone.
ROWS_AT_ONCE: Final = 15_000
_NOW: Final = "SELECT now64(3, 'UTC') AS now"
#: How a column is asked for, by how it is shown, and its type then.
_KINDS: Final = {
    "time": ("toDateTime64({}, 3, 'UTC')", pa.timestamp("ms", tz="UTC")),
    "day": ("toDateTime64({}, 3, 'UTC')", pa.timestamp("ms", tz="UTC")),
    "count": ("toInt64({})", pa.int64()),
    "yes": ("{}", pa.bool_()),
    "flags": ("arrayMap(each -> toString(each), {})", pa.list_(pa.string())),
}
_OTHER: Final = ("toString({})", pa.string())


def type_of(column: Column) -> Any:
    """The type of a column in Arrow."""
    return _KINDS.get(column.kind, _OTHER)[1]


class WholeLists:
    """Reads all rows of lists."""

    def __init__(self, questions: Questions) -> None:
        self._questions = questions
        self._lines = LineReader(questions)
        prepare_arrow()

    async def read(
        self, listing: Listing, filters: Filters, columns: Sequence[Column]
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The columns by their names, some rows at a time; nothing where there is no row."""
        at, id = listing.key
        where, own = listing.own_conditions(filters)
        given = filters.parameters() | own
        source = f"({listing.sql})"
        if not listing.sql:
            (now,) = await self._questions.rows(_NOW)
            where, given = await self._lines.conditions(filters, Cursor(as_of=now["now"]))
            source = f"(SELECT {LINE_COLUMNS}, key, stored_at FROM {TABLE})"  # noqa: S608  names of ours
        selected = _selected(columns, is_lines=not listing.sql)
        looked_up = LookedUpLines(self._questions, where, given)
        cursor = Cursor()
        while True:
            found = await self._questions.columns(
                f"SELECT {selected} FROM (SELECT * FROM {source} WHERE {where}"  # noqa: S608  of ours
                f" AND {cursor.condition(at, id)} ORDER BY {cursor.order_by(at, id)}"
                f" LIMIT {ROWS_AT_ONCE:d})",
                given | cursor.parameters(),
            )
            if not found.num_rows:
                return
            rows = dict(zip(found.schema.names, found.columns, strict=True))
            cursor = Cursor(at=rows[at][-1].as_py(), id=str(rows[id][-1].as_py()))
            if not listing.sql:
                rows = _sifted(await looked_up.columns_of(_once(found)), filters)
            is_last = found.num_rows < ROWS_AT_ONCE
            yield {each.name: rows[each.name].cast(type_of(each)) for each in columns}
            if is_last:
                return
            del found, rows  # before the next are read


def _selected(columns: Sequence[Column], *, is_lines: bool) -> str:
    """The columns in the types of Arrow that the forms know."""
    asked = [column for column in columns if not (is_lines and column.name in LOOKED_UP)]
    words = [_KINDS.get(each.kind, _OTHER)[0].format(each.name) for each in asked]
    named = [f"{word} AS {each.name}" for word, each in zip(words, asked, strict=True)]
    return ", ".join([*named, "of_key"] if is_lines else named)


def _once(found: Any) -> Any:
    """Each line once. What is stored twice stands side by side, in rare cases."""
    at, id = found["at"], found["id"]
    before = slice(0, -1)
    is_again = pc.and_(pc.equal(at[1:], at[before]), pc.equal(id[1:], id[before]))
    if not is_again.true_count:
        return found
    names = [found[name].to_pylist() for name in ("at", "id", "handset")]
    first = {line: place for place, line in reversed([*enumerate(zip(*names, strict=True))])}
    return found.take(pa.array(sorted(first.values())))


def _sifted(rows: dict[str, Any], filters: Filters) -> dict[str, Any]:
    """The lines whose command stands as the filters say; all where they say nothing of it."""
    for name in ("state", "code"):
        asked = getattr(filters, name)
        if asked:
            mask = pc.equal(rows[name], asked)
            rows = {each: column.filter(mask) for each, column in rows.items()}
    return rows
