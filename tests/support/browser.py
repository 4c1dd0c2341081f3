"""Starts headless Chromium and opens tabs in it, by the Chrome DevTools Protocol 1.3."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.support.looking import looks
from tests.support.tab import BLANK, WAIT_SECONDS, Tab

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
#: The browser is gone, is stuck, or refuses: the tab is given up.
NOT_LEFT = (ConnectionError, TimeoutError, AssertionError)
OPTIONS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--remote-debugging-port=0",
    # Nothing goes on beside the pages: no updates, no phoning home, no extensions.
    "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
    "--disable-extensions", "--disable-sync", "--mute-audio",
    # Each window would load two pages for suggestions under its address field, which nobody sees,
    # and keep a process ready for a next page.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,"
    "SpareRendererForSitePerProcess",
    # A tab counts as seen, though no window is in front.
    "--disable-backgrounding-occluded-windows", "--disable-renderer-backgrounding",
    "--disable-background-timer-throttling",
)  # fmt: skip


class Browser:
    """A Chromium without a screen. It starts with its first tab, and anew when it is gone.

    A tab begins without cookies, cache and storage of the tabs before. One that a test left well
    serves the next test: a new window and a new renderer take a fifth of a second of the processor.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ("", "")
        self._left: list[tuple[str, str]] = []  # tabs that nobody uses: target and context

    @asynccontextmanager
    async def tab(self, **look: Any) -> AsyncIterator[Tab]:
        """An empty tab; `look` is that of `Tab.begin`."""
        async with aiohttp.ClientSession() as session, self._open(session) as browser:
            target, context = self._left.pop() if self._left else await _new_tab(browser)
            is_left = False
            try:
                page = f"{self._address[0]}/devtools/page/{target}"
                async with session.ws_connect(page, max_msg_size=0) as socket:
                    tab = Tab(socket, context)
                    await tab.begin(**look)
                    yield tab
                    with suppress(*NOT_LEFT):
                        await tab.leave()
                        is_left = True
            finally:
                if is_left:
                    self._left.append((target, context))
                else:
                    await self._dispose(browser, context)

    async def _dispose(self, browser: Tab, context: str) -> None:
        try:
            await browser.call("Target.disposeBrowserContext", browserContextId=context)
        except (ConnectionError, TimeoutError):
            self.kill()  # the next tab has a new one

    @asynccontextmanager
    async def _open(self, session: aiohttp.ClientSession) -> AsyncIterator[Tab]:
        """The browser itself."""
        if self._process is None or self._process.poll() is not None:
            self._start()
        try:
            socket = await session.ws_connect("".join(self._address), max_msg_size=0)
        except aiohttp.ClientConnectionError:  # it ends, and is not gone yet
            self.kill()
            self._start()
            socket = await session.ws_connect("".join(self._address), max_msg_size=0)
        async with socket:
            yield Tab(socket)

    def _start(self) -> None:
        """Start the browser with a new profile, and read the address of its socket."""
        assert CHROMIUM is not None
        self._left.clear()
        profile = tempfile.mkdtemp(dir=self._folder)
        self._process = subprocess.Popen(
            [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        file = Path(profile, "DevToolsActivePort")  # two lines: the port, and the path
        for _ in looks(seconds=WAIT_SECONDS):
            if file.exists() and len(lines := file.read_text().splitlines()) == 2:
                self._address = (f"ws://127.0.0.1:{lines[0]}", lines[1])
                return
            assert self._process.poll() is None, "Chromium ended when it started"
        raise AssertionError("Chromium names no port")

    def kill(self) -> None:
        """Kill the browser; its other processes end when it is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        """End the browser and all its processes."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


async def _new_tab(browser: Tab) -> tuple[str, str]:
    """A new tab of a new context: the ids of both."""
    context = (await browser.call("Target.createBrowserContext"))["browserContextId"]
    opened = await browser.call("Target.createTarget", url=BLANK, browserContextId=context)
    return opened["targetId"], context


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for the tests of this process."""
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()
