"""axe-core on every page of the report, light, dark and on a phone; and a walk by keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.store.report.scene import scene, store_scene
from tests.store.report.serving_report import Running
from tests.store.report.test_report_browser import LOOKS, PAGES
from tests.support.axe import axe, findings_of
from tests.support.browser import needs_chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.store.clickhouse.database import Database
    from tests.support.browser import Browser

pytestmark = needs_chromium
__all__ = ["axe"]
#: Where the focus is, in words, and whether it can be seen.
FOCUS = """(() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const box = e.getBoundingClientRect();
  const style = getComputedStyle(e);
  return [e.textContent.trim().slice(0, 30) || e.name || e.getAttribute("aria-label") || e.tagName,
    style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
    box.width > 0 && box.left < innerWidth - 8 && box.right > 8];
})()"""


@pytest.fixture(scope="module")
def running(database: Database) -> Iterator[Running]:
    store_scene(database, scene())
    opened = Running(database)
    yield opened
    opened.stop()


async def test_axe_has_nothing_to_say_of_any_page_in_any_look(
    running: Running, browser: Browser, axe: str
) -> None:
    found = {}
    async with browser.tab() as tab:
        for name, path in PAGES.items():
            await tab.go(running.url + path)
            await tab.value("document.querySelectorAll('details').forEach((e) => e.open = true)")
            for look, how in LOOKS.items():
                await tab.look(**how)
                found[name, look] = await findings_of(tab, axe)
    assert len(found) == len(PAGES) * len(LOOKS)
    assert {where: findings for where, findings in found.items() if findings} == {}


@pytest.mark.parametrize("look", ["light", "phone"])
async def test_every_control_is_reached_by_the_keyboard_and_seen(
    running: Running, browser: Browser, look: str
) -> None:
    """WCAG 2.2, 2.1.1, 2.1.2, 2.4.7, 2.4.11: by Tab to the end of each page, the focus visible."""
    async with browser.tab(**LOOKS[look]) as tab:
        for name in ("overview", "charts", "handset", "review", "reports"):
            await tab.go(running.url + PAGES[name])
            controls = await tab.value(
                "[...document.querySelectorAll('a[href], button, input, select, summary,"
                " [tabindex]')].filter((e) => e.checkVisibility() && e.type !== 'hidden').length"
            )
            seen = []
            for _ in range(controls * 8 + 20):  # a field of a time has a stop for each part
                await tab.press("Tab", code=9)
                found = await tab.value(FOCUS)
                if found is None:
                    break
                seen.append(found)
            else:
                raise AssertionError(f"{name}: the focus never leaves: {seen[-5:]}")
            assert seen[0][0] == "Skip to the content", name
            assert [each for each in seen if not each[1]] == [], name
            assert [each for each in seen[1:] if not each[2]] == [], name


async def test_a_filter_a_page_and_a_report_by_the_keyboard_alone(
    running: Running, browser: Browser
) -> None:
    async with browser.tab(width=390, height=844) as tab:
        await tab.go(running.url + "/list/lines")
        await tab.value("document.querySelector('[name=text]').focus()")
        await tab.type("parcel")
        await tab.press("Enter", code=13, text="\r")
        await tab.until("location.search.includes('text=parcel')")
        await tab.until("document.readyState == 'complete'")
        assert await tab.value("document.querySelectorAll('tbody tr').length") == 1
        await tab.value("document.querySelector('.keep summary').focus()")
        await tab.press("Enter", code=13, text="\r")
        await tab.until("document.querySelector('.keep').open")
        await tab.value("document.querySelector('.keep [name=name]').focus()")
        await tab.type("parcels")
        await tab.press("Enter", code=13, text="\r")
        await tab.until("document.body.innerText.includes('this store has no home')")
        assert all("400" in complaint for complaint in tab.complaints)  # as the browser logs it
