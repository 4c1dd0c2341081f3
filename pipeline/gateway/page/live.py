"""Streams the changes of the page as server-sent events (HTML Living Standard 9.2).

Each message is a list of places and the HTML to put there. A stream that is too far behind gets
`anew`: the browser then loads the page again.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from typing import TYPE_CHECKING, Final

from pipeline.gateway.page.cursor import Cursor, newest, place_after
from pipeline.gateway.page.exchange import Exchange, has_octets
from pipeline.gateway.page.terminal import terminal_fields

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from pipeline.gateway.page.rendering import Rendering
    from pipeline.gateway.page.seam import Shown
    from pipeline.gateway.world import WorldEvent

MOST_BEHIND: Final = 200  # events in one message; with more the browser loads the page again
PAUSE_SECONDS: Final = 0.1  # between two messages
BEAT_SECONDS: Final = 10.0  # the longest silence: a message with the clock keeps the connection

Place = dict[str, str]  # target, into, html


class Live:
    """Makes the streams of one stand-in."""

    def __init__(self, shown: Shown, rendering: Rendering) -> None:
        self._shown = shown
        self._rendering = rendering
        self.run = secrets.token_hex(4)  # event numbers of another run are not valid in this one

    async def changes(self, seen: str) -> AsyncIterator[bytes]:
        """Yield the changes after `seen` (`run-number`), until the stream is closed."""
        world = self._shown.world
        at = self._place(seen)
        put: dict[str, str] = {}
        with Cursor(world, newest(world) if at is None else at) as cursor:
            yield b"retry: 1000\n\n"
            is_far = at is None
            while True:
                events = cursor.take()
                if is_far or len(events) > MOST_BEHIND:
                    yield self._message("anew", [], cursor.at)
                else:
                    places = [*self._happened(events), *self._beside(put)]
                    yield self._message("put", places, cursor.at)
                is_far = False
                await asyncio.sleep(PAUSE_SECONDS)
                await cursor.more(within_seconds=BEAT_SECONDS)

    async def events(self, handset: str, seen: int | None) -> AsyncIterator[bytes]:
        """Yield each event of a handset after number `seen` as JSON, for `twoway phone`.

        A comment comes after the events so far, and after each silence of `BEAT_SECONDS`.
        """
        world = self._shown.world
        with Cursor(world, newest(world) if seen is None else seen) as cursor:
            is_more = False
            while True:
                for event in cursor.take():
                    if event.handset == handset:
                        yield _data(event)
                if not is_more:
                    yield b": so far\n\n"
                is_more = await cursor.more(within_seconds=BEAT_SECONDS)

    def _place(self, seen: str) -> int | None:
        run, _, digits = seen.rpartition("-")
        if run != self.run or not (digits.isascii() and digits.isdigit() and len(digits) < 16):
            return None
        return place_after(self._shown.world, int(digits))

    def _happened(self, events: list[WorldEvent]) -> Iterable[Place]:
        """Yield the rows of new exchanges, the bubbles that changed, and the marks of consent."""
        piece = self._rendering.piece
        for event in events:
            if has_octets(event):
                yield _place(f"x{event.number}", piece("row", Exchange(event)), into="rows")
        for handset in dict.fromkeys(event.handset for event in events if event.handset):
            for bubble in self._rendering.bubbles(handset):
                if bubble.latest >= events[0].number:
                    html = piece("bubble", bubble)
                    yield _place(f"b{bubble.number}", html, into=f"thread-{handset}")
            yield _place(f"consent-{handset}", self._rendering.consent(handset))

    def _beside(self, put: dict[str, str]) -> Iterable[Place]:
        """Yield the parts of the page outside the phones that differ from `put`, and note them."""
        piece, account = self._rendering.piece, self._shown.account()
        for target, html in (
            ("rules", self._rendering.rules()),
            ("switches", self._rendering.switches()),
            ("account-facts", piece("account", account)),
            ("credit", piece("credit", account)),
            ("clock", piece("clock", self._shown.now())),
        ):
            if put.get(target) != html:
                put[target] = html
                yield _place(target, html)

    def _message(self, name: str, places: list[Place], at: int) -> bytes:
        return f"id: {self.run}-{at}\nevent: {name}\ndata: {json.dumps(places)}\n\n".encode()


def _place(target: str, html: str, *, into: str = "") -> Place:
    return {"target": target, "into": into, "html": html}


def _data(event: WorldEvent) -> bytes:
    return f"data: {json.dumps(terminal_fields(event))}\n\n".encode()
