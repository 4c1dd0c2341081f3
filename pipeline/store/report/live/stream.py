"""`GET /live`: the news of the hub as server-sent events (HTML Standard 9.2)."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from aiohttp import web

from pipeline.store.report.route import ReportRoute

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from pipeline.store.report.caller import Caller
    from pipeline.store.report.live.hub import LiveHub, StoredNews
    from pipeline.store.report.route import PageRequest

    #: Whether a caller who was let in may still listen.
    StillIn = Callable[[Caller], Awaitable[bool]]

#: After an end a page connects again, so many milliseconds later.
_AGAIN_MS: Final = 3_000
_HEADERS: Final = {
    "Content-Type": "text/event-stream",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",  # nginx would hold the events back
}


async def live_answer(asked: PageRequest, hub: LiveHub, is_still_in: StillIn) -> web.StreamResponse:
    """A stream of events until the page closes it, the session ends, or the report stops."""
    if not hub.has_place:
        return web.Response(status=503, text="as many pages as may be listen already\n")
    response = web.StreamResponse(headers=_HEADERS)
    with hub.listening() as listener:  # before the page is answered: it misses nothing then
        await response.prepare(asked.request)
        try:
            await response.write(f"retry: {_AGAIN_MS}\n\n".encode())
            async with aclosing(hub.news(listener)) as news:
                async for each in news:
                    if not await is_still_in(asked.caller):
                        break
                    await response.write(events_from_news(each))
            await response.write_eof()
        except ConnectionResetError:
            pass  # the page was closed
    return response


def live_route(hub: LiveHub, is_still_in: StillIn) -> ReportRoute:
    """The route of the stream: it names topics and counts, so whoever is let in may listen."""
    return ReportRoute(
        method="GET", path="/live", answer=partial(live_answer, hub=hub, is_still_in=is_still_in)
    )


def events_from_news(news: Sequence[StoredNews]) -> bytes:
    """One event for each topic; a comment where there is nothing to say."""
    if not news:
        return b": nothing new\n\n"
    return b"".join(b"event: stored\ndata: " + msgspec.json.encode(each) + b"\n\n" for each in news)
