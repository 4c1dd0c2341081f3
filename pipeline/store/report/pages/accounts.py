"""The pages of accounts: how each stands, a month, its entries, and what waits for credits."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from pipeline.store.report.lists.account_listings import ENTRIES, UNRELEASED
from pipeline.store.report.lists.cursor import Cursor
from pipeline.store.report.lists.filters import BadFilter, Filters
from pipeline.store.report.pages.pages import NotThere
from pipeline.store.story.account import AccountStanding, asking_accounts
from pipeline.store.story.account_month import BadMonth, asking_month, times_of_month
from pipeline.store.story.asking import answered_later

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipeline.store.query.questions import Questions
    from pipeline.store.report.lists.reading import ListReader
    from pipeline.store.report.pages.rendering import Rendering
    from pipeline.store.report.route import PageRequest

ROWS: Final = 20
_LONGEST_NAME: Final = 128
_MONTHS: Final = """\
SELECT formatDateTime(month, '%Y-%m') AS month, sum(entries) AS entries,
    sumIf(units, kind IN ('credit', 'correction')) AS credited,
    sumIf(units, kind NOT IN ('credit', 'correction')) AS charged,
    sumIf(parts, kind = 'mo') AS parts_in, sumIf(parts, kind = 'mt') AS parts_out
FROM twoway.account_month WHERE account = {account:String}
GROUP BY month ORDER BY month DESC LIMIT 36"""


class AccountPages:
    """Asks ClickHouse about accounts and renders the answers."""

    def __init__(self, questions: Questions, *, reader: ListReader, rendering: Rendering) -> None:
        self._questions = questions
        self._reader = reader
        self._rendering = rendering

    async def accounts(self, asked: PageRequest) -> str:
        """Every account."""
        return self._rendering.html("accounts.html", asked, standings=await self._standings())

    async def account(self, asked: PageRequest) -> str:
        """One account; raises `NotThere`."""
        name = _name_of(asked)
        found = await self._standings(name)
        if not found:
            raise NotThere("there is no account of this name")
        filters = Filters(account=name)
        months, entries, held = await asyncio.gather(
            self._questions.rows(_MONTHS, {"account": name}),
            self._reader.page(ENTRIES, filters, Cursor(), size=ROWS),
            self._reader.page(UNRELEASED, filters, Cursor(), size=ROWS),
        )
        return self._rendering.html(
            "account.html",
            asked,
            standing=found[0],
            months=[row | {"days": days_of(row["month"])} for row in months],
            sections=[(ENTRIES, entries), (UNRELEASED, held)],
            filters=filters,
        )

    async def statement(self, asked: PageRequest) -> str:
        """A month of an account; raises `NotThere`."""
        name, month = _name_of(asked), asked.query.get("month", "")
        if not await self._standings(name):
            raise NotThere("there is no account of this name")
        try:
            found = await answered_later(asking_month(name, month), self._questions.rows)
        except BadMonth as error:
            raise BadFilter(f"month: {error}") from error
        return self._rendering.html(
            "account_month.html", asked, statement=found, days=days_of(found.month)
        )

    async def _standings(self, name: str = "") -> Sequence[AccountStanding]:
        asking = asking_accounts(datetime.now(UTC), account=name)
        return await answered_later(asking, self._questions.rows)


def days_of(month: str) -> dict[str, Any]:
    """The first and the last day of a month, as filters of a list."""
    since, until = times_of_month(month)
    return {"from": f"{since:%Y-%m-%d}", "to": f"{until - timedelta(days=1):%Y-%m-%d}"}


def _name_of(asked: PageRequest) -> str:
    name = asked.query.get("name", "")
    if not name or len(name) > _LONGEST_NAME or "\0" in name:
        raise BadFilter("say which account: name=…")
    return name
