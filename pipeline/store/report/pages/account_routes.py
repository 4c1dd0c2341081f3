"""The routes of accounts: their pages have neither a handset nor a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.store.report.pages.answers import html_answer
from pipeline.store.report.route import PageRequest, ReportRoute

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from aiohttp import web

    from pipeline.store.report.pages.accounts import AccountPages


def account_routes(pages: AccountPages) -> Iterator[ReportRoute]:
    """Every account, one of them, and a month of it."""

    def shown(
        path: str, page: Callable[[PageRequest], Awaitable[str]], *parameters: str
    ) -> ReportRoute:
        async def answer(asked: PageRequest) -> web.StreamResponse:
            return html_answer(await page(asked))

        return ReportRoute(method="GET", path=path, answer=answer, parameters=frozenset(parameters))

    yield shown("/accounts", pages.accounts)
    yield shown("/account", pages.account, "name")
    yield shown("/statement", pages.statement, "name", "month")
