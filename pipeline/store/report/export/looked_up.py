"""What became of the commands of a download, and the texts of its refused requests, as columns.

A command's state may be anywhere in its table, so that looking for those of a few thousand commands
reads as much of the table as looking for those of many. States are read for many lines at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from pipeline.store.report.lists.fates import TABLE, refused_within, states_within
from pipeline.store.report.lists.filters import words_for_clickhouse

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.store.query.questions import Questions

#: Columns of lines that the table of lines does not have.
LOOKED_UP: Final = ("state", "code", "words", "charge")
#: For so many lines the states are kept: 100 octets each, but for the words of a failure.
LINES_AHEAD: Final = 100_000


class LookedUpLines:
    """Of the lines that meet the conditions `where`, which are read newest first."""

    def __init__(self, questions: Questions, where: str, given: dict[str, Any]) -> None:
        self._questions = questions
        self._where = where
        self._given = given
        self._states: Any = None
        self._until: datetime | None = None  # the states of commands since then are there

    async def columns_of(self, found: Any) -> dict[str, Any]:
        """The columns of some lines, with those of their commands and the texts of refusals."""
        rows = dict(zip(found.schema.names, found.columns, strict=True))
        first_at, last_at = rows["at"][-1].as_py(), rows["at"][0].as_py()
        is_command = pc.equal(rows["record"], "mt-command")
        rows |= dict.fromkeys(LOOKED_UP, pa.array([""] * found.num_rows, pa.string()))
        if is_command.true_count:
            if self._until is None or first_at < self._until:
                await self._look_ahead(last_at)
            at = _places(rows["of_key"], self._states["of_key"], is_command)
            rows |= {name: pc.fill_null(self._states[name].take(at), "") for name in LOOKED_UP}
        is_refusal = pc.equal(rows["record"], "mt-rejection")
        if is_refusal.true_count:
            refused = await self._asked(refused_within(self._where), first_at, last_at)
            at = _places(rows["id"], refused["id"], is_refusal)
            rows["text"] = pc.coalesce(refused["text"].take(at), rows["text"])
        return rows

    async def _look_ahead(self, last_at: datetime) -> None:
        (row,) = await self._questions.rows(
            f"SELECT min(at) AS until FROM (SELECT at FROM {TABLE} WHERE {self._where}"  # noqa: S608  of ours
            f" AND at <= {{last_at:DateTime64(3, 'UTC')}} ORDER BY at DESC LIMIT {LINES_AHEAD:d})",
            self._given | {"last_at": words_for_clickhouse(last_at)},
        )
        self._until = row["until"]
        self._states = None  # before others take its place
        self._states = await self._asked(states_within(self._where), row["until"], last_at)

    async def _asked(self, sql: str, first_at: datetime, last_at: datetime) -> Any:
        within = {
            "first_at": words_for_clickhouse(first_at),
            "last_at": words_for_clickhouse(last_at),
        }
        return await self._questions.columns(sql, self._given | within)


def _places(wanted: Any, there: Any, mask: Any) -> Any:
    """Where each of the masked stands in a column; null where it does not, and for the others."""
    return pc.if_else(mask, pc.index_in(wanted, value_set=there), pa.scalar(None, pa.int32()))
