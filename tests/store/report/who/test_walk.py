"""One walk in a real browser: sign in, filter, conversation, decision, download, sign out."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.store.report.access_records import AccessRecords
from pipeline.store.report.caller import EVERYTHING, Right
from pipeline.store.report.pages.decisions import Decisions
from pipeline.store.report.who.users_file import User
from tests.gateway.page.test_browser import CONTRAST
from tests.store.report.pages.test_decisions import FakeProducer
from tests.store.report.scene import ALICE, BOB, scene, store_scene
from tests.store.report.serving_report import Running
from tests.support.browser import needs_chromium
from tests.support.hashed_password import HASH, PASSWORD

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from pipeline.store.clickhouse.database import Database
    from tests.support.browser import Browser
    from tests.support.tab import Tab

pytestmark = needs_chromium
USERS = {
    "anna": User(name="anna", password=HASH, rights=EVERYTHING),
    "mia": User(name="mia", password=HASH, rights=frozenset({Right.TEXTS})),
}
PICTURES = os.environ.get("TWOWAY_PICTURES", "")
LOADED = "document.readyState == 'complete'"


@pytest.fixture(scope="module")
def running(database: Database) -> Iterator[Running]:
    store_scene(database, scene())
    opened = Running(database, read_users=lambda: USERS)
    yield opened
    opened.stop()


@pytest.fixture
def noted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []

    async def note(_: Any, asked: Any, action: str, what: str) -> None:
        found.append((asked.caller.name, action, what))

    monkeypatch.setattr(AccessRecords, "note", note)
    return found


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> FakeProducer:
    fake = FakeProducer()

    @asynccontextmanager
    async def opened(*_: Any) -> AsyncIterator[FakeProducer]:
        yield fake

    monkeypatch.setattr(Decisions, "_producer", opened)
    return fake


async def fill(tab: Tab, selector: str, text: str) -> None:
    await tab.value(f"document.querySelector('{selector}').focus()")
    await tab.type(text)


async def press(tab: Tab, selector: str, until: str) -> None:
    """Click, and wait until the next page says so."""
    await tab.value(f"document.querySelector('{selector}').click()")
    await tab.until(f"{LOADED} && ({until})")


async def sign_in(tab: Tab, name: str) -> None:
    await fill(tab, "[name=name]", name)
    await fill(tab, "[name=password]", PASSWORD)
    await press(tab, ".sign-in button", "document.querySelector('.who')")


async def picture(tab: Tab, name: str) -> None:
    if PICTURES:
        folder = Path(PICTURES)
        folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  a test
        await tab.picture(folder / f"{name}.png")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_sign_in_filter_conversation_decision_download(
    running: Running,
    noted: list[tuple[str, str, str]],
    producer: FakeProducer,
    browser: Browser,
    tmp_path: Path,
    script: bool,
) -> None:
    async with browser.tab(width=1200, height=900, script=script) as tab:
        await tab.go(f"{running.url}/list/lines")
        assert await tab.value("document.querySelectorAll('h1').length") == 1
        assert await tab.value("document.activeElement != null")
        assert await tab.value(CONTRAST) == []
        await picture(tab, "sign-in")
        await sign_in(tab, "anna")
        assert await tab.value("location.pathname") == "/list/lines"
        assert await tab.value("document.cookie") == ""  # no script reads it
        await fill(tab, "form.filters [name=handset]", ALICE)
        await press(tab, "form.filters button", f"location.search.includes('{ALICE}')")
        assert await tab.value("document.querySelectorAll('tbody tr').length") == 4
        await press(tab, "tbody .k-handset a", "location.pathname == '/conversation'")
        assert ALICE in await tab.value("document.querySelector('h1').textContent")
        await tab.go(f"{running.url}/review")
        if not await tab.value("!!document.querySelector('.reviews form')"):
            assert producer.sent == []  # decided on the walk before
        else:
            await fill(tab, ".reviews [name=reason]", "an order")
            await press(tab, ".reviews button[value=dismiss]", "location.search == '?done=dismiss'")
            assert len(producer.sent) == 1
            assert ("anna", "decide", "review dismiss") in noted
        downloads = str(tmp_path)
        await tab.call(
            "Browser.setDownloadBehavior",
            behavior="allow",
            downloadPath=downloads,
            browserContextId=tab.context,
        )
        await tab.go(f"{running.url}/list/lines?handset={BOB}")
        await tab.value("document.querySelector('.downloads a').click()")
        file = tmp_path / "lines.csv"
        for _ in range(600):
            if file.exists() and BOB in file.read_text("utf-8"):  # it is there before it is whole
                break
            await asyncio.sleep(0.05)
        assert BOB in file.read_text("utf-8")
        assert ("anna", "download", "csv lines") in noted
        await press(tab, ".who button", "location.pathname == '/sign-in'")
        await tab.go(f"{running.url}/list/lines")
        assert await tab.value("!!document.querySelector('.sign-in')")
        complaints = [each for each in tab.complaints if "401" not in each]
        assert complaints == []


async def test_who_may_not_see_numbers_walks_by_masks(running: Running, browser: Browser) -> None:
    async with browser.tab(width=1200, height=900) as tab:
        await tab.go(f"{running.url}/list/lines")
        await sign_in(tab, "mia")
        await press(tab, "tbody .k-handset a", "location.pathname == '/conversation'")
        page = await tab.value("document.documentElement.outerHTML")
        assert "•••" in page
        assert ALICE not in page.replace(f'placeholder="{ALICE}"', "")
        assert await tab.value("document.querySelectorAll('.bubble').length") > 0
        assert await tab.value(CONTRAST) == []
        await picture(tab, "masked-conversation")
        await press(tab, ".bubbles a.when", "location.pathname == '/message'")
        assert await tab.value("document.querySelectorAll('.timeline li').length") > 0
        await tab.go(f"{running.url}/review")
        assert "right" in await tab.value("document.querySelector('main').textContent")
