"""Questions as the caller of a request may ask them, and answers as the caller may see them.

It is the one seam: all of the report asks through it, so no page, export or update masks by itself.
Pages join and link rows by seals as they would by handsets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.store.query.questions import Questions
from pipeline.store.query.statement_text import Refused
from pipeline.store.report.masking.batch_seen import masked_batch
from pipeline.store.report.masking.columns_seen import masked_rows
from pipeline.store.report.masking.parameters_seen import opened_parameters
from pipeline.store.report.masking.seal import NotSealed
from pipeline.store.report.masking.sight import SEEING

if TYPE_CHECKING:
    from pipeline.store.query.questions import Parameters, Table
    from pipeline.store.report.masking.seal import Seal


class SeenQuestions(Questions):
    """The questions of the report."""

    def __init__(self, questions: Questions, seal: Seal) -> None:
        self._all = questions
        self._seal = seal

    async def table(self, sql: str, parameters: Parameters | None = None) -> Table:
        """The columns' names and the rows as they are seen; raises `BadFilter`."""
        sight = SEEING.get()
        given = opened_parameters(parameters or {}, sight, self._seal)
        columns, rows = await self._all.table(sql, given)
        if sight.is_full:
            return columns, rows
        return columns, masked_rows(columns, rows, sight, self._seal)

    async def columns(self, sql: str, parameters: Parameters | None = None) -> Any:
        """The answer as a record batch of Arrow, as it is seen; raises `BadFilter`."""
        sight = SEEING.get()
        given = opened_parameters(parameters or {}, sight, self._seal)
        batch = await self._all.columns(sql, given)
        return batch if sight.is_full else masked_batch(batch, sight, self._seal)

    async def json_lines(self, text: str, parameters: Parameters | None = None) -> bytes:
        """The answer to a statement of who may see all; raises `Refused` or `BadStatement`."""
        if not SEEING.get().is_full:
            raise Refused("a statement may ask for anything: it needs the rights to see all")
        return await self._all.json_lines(text, parameters)

    def plain_of(self, words: str) -> str:
        """What a seal holds, for work of our own that is shown to nobody."""
        try:
            return self._seal.unsealed(words)
        except NotSealed:
            return words
