"""Every route of the pages and the exports: its path, what it needs, and what it shows."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from aiohttp import web

from pipeline.store.report.caller import Right
from pipeline.store.report.export.answer import export_answer
from pipeline.store.report.export.formats import FORMATS
from pipeline.store.report.lists.account_listings import EVERY_LISTING
from pipeline.store.report.lists.cursor import PLACE_NAMES
from pipeline.store.report.lists.filters import FEW, BadFilter
from pipeline.store.report.pages.answers import html_answer, see_other
from pipeline.store.report.route import PageRequest, ReportRoute

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from pipeline.store.report.caller import Guard
    from pipeline.store.report.export.answer import Exports
    from pipeline.store.report.pages.decisions import Decisions
    from pipeline.store.report.pages.pages import Pages

_SEES: Final = frozenset({Right.NUMBERS, Right.TEXTS})
_DECIDES: Final = _SEES | {Right.DECIDE}
_LONGEST_WORDS: Final = 400


def routes_of(
    pages: Pages, *, guard: Guard, decisions: Decisions, exports: Exports
) -> Iterator[ReportRoute]:
    """What the report shows beside SQL and its own health."""

    def shown(
        path: str,
        page: Callable[[PageRequest], Awaitable[str]],
        *parameters: str,
        needs: frozenset[Right] = _SEES,
    ) -> ReportRoute:
        async def answer(asked: PageRequest) -> web.StreamResponse:
            return html_answer(await page(asked))

        return ReportRoute(
            method="GET", path=path, answer=answer, needs=needs, parameters=frozenset(parameters)
        )

    async def review(asked: PageRequest) -> str:
        return await pages.review(asked, guard.form_token(asked.caller))

    async def letter(asked: PageRequest) -> str:
        return await pages.letter(asked, guard.form_token(asked.caller))

    async def octets(asked: PageRequest) -> web.StreamResponse:
        found = await pages.octets_of_letter(asked)
        return web.Response(
            body=found,
            content_type="application/octet-stream",
            headers={"Content-Disposition": 'attachment; filename="dead-letter.bin"'},
        )

    async def decide(asked: PageRequest) -> web.StreamResponse:
        fields = asked.fields
        await decisions.decide_review(
            fields.get("id", ""),
            action=fields.get("action", ""),
            actor=_actor(asked),
            reason=_said(asked, "reason"),
        )
        return see_other(f"review?done={fields['action']}")

    async def retry(asked: PageRequest) -> web.StreamResponse:
        id = asked.fields.get("id", "")
        await decisions.retry_letter(id, actor=_actor(asked))
        return see_other(f"letter?id={id}")

    yield shown("/", pages.overview, *FEW)
    yield shown(
        "/conversation", pages.conversation, "handset", "number", "from", "to", *PLACE_NAMES
    )
    yield shown("/message", pages.one_message, "id", "at")
    yield shown("/review", review, "done", *FEW, *PLACE_NAMES, needs=_DECIDES)
    yield shown("/letter", letter, "id", needs=_DECIDES)
    yield ReportRoute(
        method="GET",
        path="/letter-octets",
        answer=octets,
        needs=_DECIDES | {Right.DOWNLOAD},
        parameters=frozenset({"id"}),
    )
    yield shown("/dictionary", pages.dictionary, needs=frozenset({Right.SQL}))
    for path, answer in (("/review", decide), ("/letter", retry)):
        yield ReportRoute(method="POST", path=path, answer=answer, needs=_DECIDES, has_form=True)
    for listing in EVERY_LISTING.values():
        page = partial(pages.listing, listing=listing)
        yield shown(f"/list/{listing.name}", page, *listing.filters, *PLACE_NAMES, "rows", "piece")
        for form in FORMATS:
            yield ReportRoute(
                method="GET",
                path=f"/{form}/{listing.name}",
                answer=partial(export_answer, exports=exports, listing=listing, form=form),
                needs=_SEES | {Right.DOWNLOAD},
                parameters=listing.filters,
            )


def _actor(asked: PageRequest) -> str:
    """Who decides: the user, or where there are none, who the form says it is."""
    return asked.caller.name or _said(asked, "by")


def _said(asked: PageRequest, name: str) -> str:
    words = " ".join(asked.fields.get(name, "").split())
    if not words or len(words) > _LONGEST_WORDS:
        raise BadFilter(f"say {'who decides' if name == 'by' else 'why'}, in some words")
    return words
