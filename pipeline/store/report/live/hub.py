"""Tells open pages that something was stored: which topic, how many records, the newest one's time.

It says nothing else. A page that is told asks for its own address again, so that what it shows has
one rendering, and one check of who may see it.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator

#: Open pages at most: each holds a connection.
MOST_LISTENERS: Final = 100
#: What is stored within this time is told together.
_GATHER_SECONDS: Final = 1.0
#: A proxy ends a connection on which nothing comes.
_STILL_HERE_SECONDS: Final = 15.0


class StoredNews(msgspec.Struct, frozen=True, kw_only=True):
    """Records of a topic that can be asked for now; `newest` is the time of the last one."""

    topic: str
    count: int
    newest: datetime

    def with_later(self, later: StoredNews) -> StoredNews:
        """Both as one."""
        return StoredNews(
            topic=self.topic,
            count=self.count + later.count,
            newest=max(self.newest, later.newest),
        )


class LiveHub:
    """Takes news from any thread, and gives it to whoever listens in the report's loop."""

    def __init__(self, *, gather_seconds: float = _GATHER_SECONDS) -> None:
        self._gather_seconds = gather_seconds
        self._lock = threading.Lock()
        self._listeners: set[_Listener] = set()
        self._is_over = False

    @property
    def has_place(self) -> bool:
        """Whether one more page may listen."""
        return len(self._listeners) < MOST_LISTENERS and not self._is_over

    def tell(self, topic: str, count: int, newest: datetime | None = None) -> None:
        """Say that records of a topic can be asked for."""
        news = StoredNews(topic=topic, count=count, newest=newest or datetime.now(UTC))
        with self._lock:
            for listener in self._listeners:
                listener.hear(news)

    def hush(self) -> None:
        """End every stream: the report stops."""
        with self._lock:
            self._is_over = True
            for listener in self._listeners:
                listener.wake()

    @contextmanager
    def listening(self) -> Iterator[_Listener]:
        """A listener, who hears all that is told from now on."""
        listener = _Listener(asyncio.get_running_loop())
        with self._lock:
            self._listeners.add(listener)
        try:
            yield listener
        finally:
            with self._lock:
                self._listeners.discard(listener)

    async def news(self, listener: _Listener) -> AsyncGenerator[list[StoredNews], None]:
        """What was stored since the last time; an empty list says only that the report is there."""
        while not self._is_over:
            found = await listener.next_news()
            if self._is_over:
                return
            if found:
                await asyncio.sleep(self._gather_seconds)
                found = listener.taken(found)
            yield found


class _Listener:
    """The news of one open page, one entry a topic."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._heard = asyncio.Event()
        self._lock = threading.Lock()
        self._news: dict[str, StoredNews] = {}

    def hear(self, news: StoredNews) -> None:
        """Keep news until they are taken; from any thread."""
        with self._lock:
            before = self._news.get(news.topic)
            self._news[news.topic] = before.with_later(news) if before else news
        self.wake()

    def wake(self) -> None:
        """End the wait of `next_news`; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._heard.set)

    async def next_news(self) -> list[StoredNews]:
        """What was heard; waits for it for a while."""
        try:
            await asyncio.wait_for(self._heard.wait(), _STILL_HERE_SECONDS)
        except TimeoutError:
            return []
        return self.taken([])

    def taken(self, before: list[StoredNews]) -> list[StoredNews]:
        """What came, with what was taken before."""
        self._heard.clear()
        with self._lock:
            later, self._news = self._news, {}
        together = {each.topic: each for each in before}
        for topic, each in later.items():
            together[topic] = together[topic].with_later(each) if topic in together else each
        return list(together.values())
