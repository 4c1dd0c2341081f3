"""Live updates: what the hub tells, what the stream says, and what a page does with it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from aiohttp import web

from pipeline.store.report.live import hub as hub_module
from pipeline.store.report.live.hub import LiveHub, StoredNews
from pipeline.store.report.live.stream import events_from_news
from tests.store.report.scene import ALICE, MARKUP, command, message, scene, store_scene
from tests.store.report.serving_report import Running
from tests.support.browser import needs_chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.store.clickhouse.database import Database
    from tests.support.browser import Browser

AT = datetime(2026, 3, 4, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def running(database: Database) -> Iterator[Running]:
    store_scene(database, scene())
    opened = Running(database)
    yield opened
    opened.stop()


async def test_news_of_a_topic_are_told_together_from_any_thread() -> None:
    hub = LiveHub(gather_seconds=0.05)

    def tell() -> None:
        for count in range(1, 11):
            hub.tell("mo-message", count, AT + timedelta(seconds=count))
        hub.tell("mt-state", 1, AT)

    with hub.listening() as listener:
        thread = threading.Thread(target=tell)
        thread.start()
        news = hub.news(listener)
        found = {each.topic: each for each in await anext(news)}
        thread.join()
        await news.aclose()
    assert found["mo-message"].count == 55
    assert found["mo-message"].newest == AT + timedelta(seconds=10)
    assert found["mt-state"].count == 1


async def test_a_page_that_is_slow_is_told_once_of_each_topic() -> None:
    """What waits for a page that does not read is one entry a topic, however much is stored."""
    hub = LiveHub(gather_seconds=0)
    with hub.listening() as listener:
        news = hub.news(listener)
        for count in (1, 100_000):
            for _ in range(count):
                hub.tell("mo-message", 1)
            (each,) = await anext(news)
            assert each.count == count
        await news.aclose()


async def test_so_many_pages_listen_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub_module, "MOST_LISTENERS", 2)
    hub = LiveHub()
    with hub.listening() as one:
        with hub.listening():
            assert not hub.has_place
        assert hub.has_place
        waiting = asyncio.ensure_future(anext(hub.news(one)))
        await asyncio.sleep(0)
        hub.hush()
        with pytest.raises(StopAsyncIteration):
            await waiting


def test_an_event_says_topic_count_and_newest_and_nothing_else() -> None:
    said = events_from_news([StoredNews(topic="mo-message", count=3, newest=AT)]).decode()
    event, data, *rest = said.split("\n")
    assert event == "event: stored"
    assert json.loads(data.removeprefix("data: ")) == {
        "topic": "mo-message", "count": 3, "newest": "2026-03-04T12:00:00Z",
    }  # fmt: skip
    assert rest == ["", ""]
    assert events_from_news([]).startswith(b":")


def test_the_stream_is_open_to_who_is_let_in_and_ends_with_the_report(database: Database) -> None:
    running = Running(database)
    lines: list[str] = []
    with running.client.stream("GET", "/live") as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        assert answer.headers["cache-control"] == "no-store"
        reading = answer.iter_lines()
        assert next(reading).startswith("retry:")
        running.hub.tell("mo-message", 1, AT)
        for line in reading:
            lines.append(line)
            if "mo-message" in line:
                break
        began = time.monotonic()
        running.hub.hush()
        assert all("stored" not in line for line in reading)
        assert time.monotonic() - began < 5
    running.stop()
    assert any("mo-message" in line for line in lines)


def test_what_is_told_while_a_page_is_answered_reaches_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = Running(database)
    prepare = web.StreamResponse.prepare

    async def told_meanwhile(response: web.StreamResponse, request: web.BaseRequest) -> Any:
        running.hub.tell("mo-message", 1, AT)
        return await prepare(response, request)

    monkeypatch.setattr(web.StreamResponse, "prepare", told_meanwhile)
    with running.client.stream("GET", "/live") as answer:
        reading = answer.iter_lines()
        said = [next(reading) for _ in range(4)]
        running.hub.hush()
    running.stop()
    assert said[0].startswith("retry:")
    assert "mo-message" in said[3]


@needs_chromium
async def test_what_is_on_screen_updates_itself(
    database: Database, running: Running, browser: Browser
) -> None:
    """A list, the overview and a conversation show what was stored, and a paused page does not."""
    async with browser.tab(width=1200, height=900) as tab:
        rows = "document.querySelectorAll('tbody tr').length"
        await tab.go(f"{running.url}/list/messages?handset={ALICE}")
        await tab.until("document.querySelector('#live').classList.contains('on')")
        assert await tab.value(rows) == 2
        await asyncio.to_thread(store_scene, database, [message("e", ALICE, f"new {MARKUP}", 30)])
        running.hub.tell("mo-message", 1)
        await tab.until(f"{rows} == 3")
        assert await tab.value("document.images.length") == 0
        # Within a part that somebody reads by keyboard nothing moves.
        await tab.value("document.querySelector('#live').click()")
        assert await tab.value("document.querySelector('#live').textContent") == "Paused"
        await asyncio.to_thread(store_scene, database, [message("d", ALICE, "newer", 31)])
        running.hub.tell("mo-message", 1)
        await asyncio.sleep(1.5)
        assert await tab.value(rows) == 3
        await tab.value("document.querySelector('#live').click()")
        await tab.until(f"{rows} == 4")
        await tab.go(f"{running.url}/conversation?handset={ALICE}")
        await tab.until("document.querySelector('#live').classList.contains('on')")
        answer = command("f", ALICE, "And this is the answer", 32)
        await asyncio.to_thread(store_scene, database, [answer])
        running.hub.tell("mt-command", 1)
        await tab.until("document.body.textContent.includes('And this is the answer')")
        assert tab.complaints == []
        assert tab.dialogs == []


@needs_chromium
async def test_a_later_page_of_a_list_stands_still(running: Running, browser: Browser) -> None:
    async with browser.tab(width=1200, height=900) as tab:
        await tab.go(f"{running.url}/list/lines?before=2026-03-04T12:05:00.000Z,x")
        running.hub.tell("mo-message", 1)
        await asyncio.sleep(0.5)
        assert await tab.value("document.querySelector('#live').hidden")
