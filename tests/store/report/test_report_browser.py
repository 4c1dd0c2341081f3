"""The report in a real browser: light, dark, on a phone, in another zone, under hostile texts."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway.page.test_browser import CONTRAST
from tests.store.report.scene import ALICE, BOB, MARKUP, scene, store_scene
from tests.store.report.serving_report import Running
from tests.support.browser import needs_chromium

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from pipeline.store.clickhouse.database import Database
    from tests.support.browser import Browser
    from tests.support.tab import Tab

pytestmark = needs_chromium
#: Where pictures are kept, for people to look at.
PICTURES = os.environ.get("TWOWAY_PICTURES", "build/pictures/report")
PAGES = {
    "overview": "/",
    "lines": "/list/lines",
    "handset": f"/conversation?handset={ALICE}",
    "message": "/message?id=" + "1" * 32,
    "command": "/message?id=" + "a" * 32,
    "review": "/review",
    "letter": "/letter?id=" + "7" * 32,
    "reports": "/reports",
    "dictionary": "/dictionary",
    "opt-outs": "/list/opt-outs",
    "dead-letters": "/list/dead-letters",
    "charts": "/charts",
    "chart": "/chart/volume?from=2026-03-04&to=2026-03-04&step=hour",
}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"width": 1440, "height": 1000},
    "dark": {"width": 1440, "height": 1000, "scheme": "dark"},
    "phone": {"width": 390, "height": 844},
}
WIDTH = "document.documentElement.scrollWidth"
#: Texts in the first screen or below it, but never beside it.
BESIDE = """
[...document.querySelectorAll(".k-text, .k-fate, .bubble, .note, h1, form, .bar")]
  .filter((e) => e.getClientRects().length)
  .filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map((e) => e.className + " " + e.textContent.slice(0, 30))
"""


@pytest.fixture(scope="module")
def running(database: Database) -> Iterator[Running]:
    store_scene(database, scene())
    opened = Running(database)
    yield opened
    opened.stop()


@asynccontextmanager
async def tab_of(browser: Browser, **look: Any) -> AsyncIterator[Tab]:
    """A browser; it ends without a complaint, of the content security policy either."""
    async with browser.tab(**look) as tab:
        yield tab
        assert tab.complaints == []
        assert tab.dialogs == []


async def test_every_page_is_whole_and_can_be_read_in_every_look(
    running: Running, browser: Browser
) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text of this size; 1.4.10: no scrolling to the side."""
    async with tab_of(browser) as tab:
        for name, path in PAGES.items():
            await tab.go(running.url + path)
            for look, how in LOOKS.items():
                where = f"{name}, {look}"
                await tab.look(**how)
                assert await tab.value("innerWidth") == how["width"], where
                assert await tab.value(BESIDE) == [], where
                assert await tab.value(WIDTH) <= how["width"], where
                assert await tab.value(CONTRAST) == [], where
                assert await tab.value("document.querySelectorAll('h1').length") == 1, where
                if PICTURES:
                    folder = Path(PICTURES)
                    folder.mkdir(parents=True, exist_ok=True)  # noqa: ASYNC240  a test
                    await tab.picture(folder / f"{name}-{look}.png")


async def test_no_hostile_text_acts(running: Running, browser: Browser) -> None:
    async with tab_of(browser, width=1200, height=900) as tab:
        for path in (f"/conversation?handset={BOB}", "/list/lines", "/message?id=" + "3" * 32):
            await tab.go(running.url + path)
            assert await tab.value("document.images.length") == 0
            assert await tab.value("document.scripts.length") == 1
            assert MARKUP in await tab.value("document.body.textContent")


async def test_times_are_of_the_readers_zone_and_utc_is_beside(
    running: Running, browser: Browser
) -> None:
    async with tab_of(browser, width=1200, height=900) as tab:
        await tab.call("Emulation.setTimezoneOverride", timezoneId="Africa/Johannesburg")
        await tab.go(running.url + "/list/lines?from=2026-03-04T12:00&to=2026-03-04T12:01")
        time = "document.querySelector('td time')"
        assert await tab.value(f"{time}.textContent") == "2026-03-04 14:00:00"
        assert await tab.value(f"{time}.title") == "2026-03-04 12:00:00.000 UTC"
        assert "Johannesburg" in await tab.value("document.querySelector('#zone').textContent")
        assert await tab.value("document.querySelector('[name=from]').value") == "2026-03-04T14:00"
        await tab.value("document.querySelector('.filters button').click()")
        await tab.until("location.search.includes('from=2026-03-04T12%3A00')")


async def test_without_script_filters_and_pages_work_in_utc(
    running: Running, browser: Browser
) -> None:
    async with tab_of(browser, width=1200, height=900, script=False) as tab:
        await tab.go(running.url + "/list/lines")
        await tab.value("document.querySelector('[name=handset]').focus()")
        await tab.type(ALICE)
        await tab.press("Enter", code=13, text="\r")
        await tab.until(f"location.search.includes('handset={ALICE}')")
        await tab.until("document.readyState == 'complete'")
        assert await tab.value("document.querySelectorAll('tbody tr').length") == 4
        assert "UTC" in await tab.value("document.querySelector('#zone').textContent")


async def test_every_control_has_a_name(running: Running, browser: Browser) -> None:
    """WCAG 2.2, 4.1.2, as the browser's own tree for screen readers has it."""
    controls = {"button", "link", "textbox", "combobox", "searchbox", "DisclosureTriangle"}
    async with tab_of(browser, width=1200, height=900) as tab:
        for path in PAGES.values():
            await tab.go(running.url + path)
            tree = (await tab.call("Accessibility.getFullAXTree"))["nodes"]
            nameless = [
                node["role"]["value"]
                for node in tree
                if not node["ignored"]
                and node["role"]["value"] in controls
                and not node.get("name", {}).get("value", "").strip()
            ]
            assert nameless == [], path
