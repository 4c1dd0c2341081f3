"""The browser of the tests: tabs know nothing of each other, and it starts anew when it is gone."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from tests.gateway.page.lively import lively
from tests.gateway.page.serving import served
from tests.support.browser import Browser, needs_chromium
from tests.support.orphans import MARKS, _marked

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(sys.platform != "linux", reason="marks are read from /proc"),
]
PATIENCE_SECONDS = 20.0
MARK = "processes-of-the-browser"


@pytest.fixture
def marking(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processes that the test starts have the mark, besides that of the run."""
    monkeypatch.setenv(MARKS, f"{os.environ.get(MARKS, '')},{MARK}")


def kill_all() -> None:
    for pid in _marked(MARK):
        with suppress(ProcessLookupError):  # it ended with another
            os.kill(pid, signal.SIGKILL)


def all_are_gone() -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _marked(MARK):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


async def test_a_tab_finds_nothing_of_the_tab_before(browser: Browser) -> None:
    kept = "[document.cookie, localStorage.getItem('kept'), sessionStorage.getItem('kept')]"
    zone_now = "Intl.DateTimeFormat().resolvedOptions().timeZone"
    async with served(lively()) as url:
        async with browser.tab(width=390) as tab:
            await tab.go(url)
            zone = await tab.value(zone_now)
            await tab.value(
                "document.cookie = 'kept=yes';"
                "for (const each of [localStorage, sessionStorage]) each.setItem('kept', 'yes')"
            )
            assert await tab.value(kept) == ["kept=yes", "yes", "yes"]
            await tab.call("Emulation.setTimezoneOverride", timezoneId="Africa/Johannesburg")
            await tab.call("Emulation.setScriptExecutionDisabled", value=True)
        async with browser.tab() as tab:
            assert await tab.value("location.href") == "about:blank"
            await tab.go(url)
            assert await tab.value(kept) == ["", None, None]
            assert await tab.value("[innerWidth, innerHeight]") == [1440, 900]
            assert await tab.value(zone_now) == zone
            await tab.until("document.querySelector('#link')?.className == 'on'")  # by its script


@pytest.mark.usefixtures("marking")
async def test_a_browser_that_is_gone_starts_anew_and_no_process_is_left(tmp_path: Path) -> None:
    browser = Browser(tmp_path)
    assert _marked(MARK) == []  # it starts with its first tab
    async with browser.tab() as tab:
        kill_all()
        with pytest.raises(ConnectionError):
            await tab.value("1")
    async with browser.tab() as tab:
        assert await tab.value("1 + 1") == 2
    kill_all()  # nobody waits until they are gone
    async with browser.tab() as tab:
        assert await tab.value("1 + 1") == 2
    assert len(_marked(MARK)) > 2
    browser.close()
    assert all_are_gone()
