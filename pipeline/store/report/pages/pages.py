"""The pages of the report: what is asked for each, and which template shows it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.store.report.lists import listings
from pipeline.store.report.lists.cursor import Cursor, cursor_from_query, page_of
from pipeline.store.report.lists.filters import (
    BadFilter,
    Filters,
    filters_from_query,
    time_of_filter,
)
from pipeline.store.report.lists.lines import PAGE_ROWS
from pipeline.store.report.pages.figures import figures_of, lines_of, numbers_of

if TYPE_CHECKING:
    from pipeline.store.query.questions import Questions
    from pipeline.store.report.lists.cursor import RowsOfPage
    from pipeline.store.report.lists.listings import Listing
    from pipeline.store.report.lists.reading import ListReader
    from pipeline.store.report.pages.decisions import Decisions
    from pipeline.store.report.pages.handset import HandsetStories
    from pipeline.store.report.pages.letters import LetterStories
    from pipeline.store.report.pages.message import MessageStories
    from pipeline.store.report.pages.rendering import Rendering
    from pipeline.store.report.route import PageRequest

CONVERSATION_ROWS: Final = 100
#: Rows of each list on the first page.
OVERVIEW: Final = {
    "conversations": 10,
    "per-day": 14,
    "opt-outs": 8,
    "refusals": 8,
    "incomplete": 5,
    "dead-letters": 5,
    "attempts": 5,
}
_DICTIONARY: Final = """\
SELECT c.table AS view, c.name AS name, c.type AS type, c.comment AS meaning
FROM system.columns AS c
WHERE c.database = 'twoway' AND NOT endsWith(c.table, '_rows')
    AND c.table NOT IN ('migrations', 'erasing') AND position(c.table, '_of_') = 0
ORDER BY c.table, c.position"""


class NotThere(LookupError):
    """What was asked for is not there; the words say what."""


class Pages:
    """Asks ClickHouse and renders the answers."""

    def __init__(
        self,
        questions: Questions,
        *,
        reader: ListReader,
        rendering: Rendering,
        handsets: HandsetStories,
        messages: MessageStories,
        letters: LetterStories,
        decisions: Decisions,
    ) -> None:
        self._questions = questions
        self._reader = reader
        self._rendering = rendering
        self._handsets = handsets
        self._messages = messages
        self._letters = letters
        self._decisions = decisions

    async def overview(self, asked: PageRequest) -> str:
        """The first page."""
        filters = await self._reader.with_few_lines(filters_from_query(asked.query))
        lists = [listings.LISTINGS[name] for name in OVERVIEW]
        (figures, days), others, numbers, *pages = await asyncio.gather(
            lines_of(self._questions, filters, rows=OVERVIEW["per-day"] + 1),
            figures_of(self._questions, filters),
            numbers_of(self._questions, filters),
            *(self._section(each, filters) for each in lists if each is not listings.PER_DAY),
        )
        per_day = page_of(days, Cursor(), size=OVERVIEW["per-day"], at="day", id="number")
        pages.insert(lists.index(listings.PER_DAY), per_day)
        received = [(row["received"], row["decided"]) for row in per_day.rows]
        return self._rendering.html(
            "overview.html",
            asked,
            filters=filters,
            figures=figures | others,
            numbers=numbers,
            sections=list(zip(lists, pages, strict=True)),
            tallest=max((max(pair) for pair in received), default=0) or 1,
        )

    async def _section(self, listing: Listing, filters: Filters) -> RowsOfPage:
        narrowed = msgspec.structs.replace(filters, **listing.fixed)
        return await self._reader.page(listing, narrowed, Cursor(), size=OVERVIEW[listing.name])

    async def listing(self, asked: PageRequest, listing: Listing) -> str:
        """A page of a list; with `piece`, its table alone."""
        filters = await self._reader.filters(listing, asked.query)
        page = await self._reader.page(
            listing, filters, cursor_from_query(asked.query), size=_size(asked)
        )
        return self._rendering.html(
            "table.html" if "piece" in asked.query else "listing.html",
            asked,
            filters=filters,
            listing=listing,
            page=page,
        )

    async def conversation(self, asked: PageRequest) -> str:
        """One handset's conversation, its consent and its queue."""
        filters = filters_from_query(asked.query)
        if not filters.handset:
            return self._rendering.html("whose.html", asked)
        story, page = await asyncio.gather(
            self._handsets.story_of(filters.handset),
            self._reader.page(
                listings.ONE_CONVERSATION,
                filters,
                cursor_from_query(asked.query),
                size=CONVERSATION_ROWS,
            ),
        )
        return self._rendering.html("handset.html", asked, filters=filters, story=story, page=page)

    async def one_message(self, asked: PageRequest) -> str:
        """One message with every step; raises `NotThere`."""
        id = asked.query.get("id", "")
        if not id or len(id) > 128:
            raise BadFilter("say which message: id=…")
        story = await self._messages.story_of(id, time_of_filter(asked.query, "at"))
        if story is None:
            raise NotThere("there is no message with this id, or its handset was forgotten")
        return self._rendering.html("message.html", asked, story=story, line=story.line)

    async def review(self, asked: PageRequest) -> str:
        """The messages that wait for a decision."""
        filters = await self._reader.filters(listings.REVIEW, asked.query)
        page = await self._reader.page(
            listings.REVIEW, filters, cursor_from_query(asked.query), size=PAGE_ROWS
        )
        rows = [row for row in page.rows if row["id"] not in self._decisions.decided]
        return self._rendering.html(
            "review.html",
            asked,
            filters=filters,
            listing=listings.REVIEW,
            page=msgspec.structs.replace(page, rows=rows),
        )

    async def letter(self, asked: PageRequest) -> str:
        """One dead letter with its octets; raises `NotThere`."""
        story = await self._letters.story_of(asked.query.get("id", ""))
        if story is None:
            raise NotThere("there is no dead letter with this id")
        is_retried = story.letter.dead_letter_id in self._decisions.decided
        return self._rendering.html("letter.html", asked, story=story, is_retried=is_retried)

    async def octets_of_letter(self, asked: PageRequest) -> bytes:
        """The octets of a dead letter, as they are; raises `NotThere`."""
        story = await self._letters.story_of(asked.query.get("id", ""))
        if story is None:
            raise NotThere("there is no dead letter with this id")
        return story.letter.octets

    async def dictionary(self, asked: PageRequest) -> str:
        """What each column of each view means."""
        views: dict[str, list[dict[str, Any]]] = {}
        for row in await self._questions.rows(_DICTIONARY):
            views.setdefault(row["view"], []).append(row)
        return self._rendering.html("dictionary.html", asked, views=views)

    def refusal(self, asked: PageRequest, status: int, words: str) -> str:
        """Why something was not done, as a page."""
        return self._rendering.html("refusal.html", asked, status=status, words=words)


def _size(asked: PageRequest) -> int:
    given = asked.query.get("rows", str(PAGE_ROWS))
    if given not in ("20", "50", "100", "200"):
        raise BadFilter("rows is none of 20, 50, 100, 200")
    return int(given)
