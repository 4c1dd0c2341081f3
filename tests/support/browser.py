"""Drives headless Chromium by the Chrome DevTools Protocol 1.3: read, click, type."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
import subprocess
import tempfile
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

from tests.support.looking import looks

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
WAIT_SECONDS = 30.0
BLANK = "about:blank"
#: The browser is gone, is stuck, or refuses: the tab is given up.
NOT_LEFT = (ConnectionError, TimeoutError, AssertionError)
END_TRANSITIONS = """
for (const each of document.getAnimations())
  if (each instanceof CSSTransition) each.finish();
"""
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


class Tab:
    """One open page."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, context: str = "") -> None:
        self._socket = socket
        self.context = context  # the id of its browser context
        self._numbers = itertools.count(1)
        self._is_blank = True
        self._origins: set[str] = set()  # of the pages that were here
        self.complaints: list[str] = []  # errors in the console, also of the security policy
        self.dialogs: list[str] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                said = await self._said()
                if said.get("id") == number:
                    assert "error" not in said, said["error"]
                    return said["result"]
                self._note(said)

    async def _said(self) -> dict[str, Any]:
        message = await self._socket.receive()
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError("the browser or the tab is gone")
        said: dict[str, Any] = message.json()
        return said

    def _note(self, said: dict[str, Any]) -> None:
        match said.get("method"):
            case "Page.frameNavigated":
                frame = said["params"]["frame"]  # no page of ours has frames in it
                self._is_blank = frame["url"] == BLANK
                self._origins.add(frame["securityOrigin"])
            case "Log.entryAdded":
                self.complaints.append(said["params"]["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(said["params"]["exceptionDetails"]))
            case "Page.javascriptDialogOpening":
                self.dialogs.append(said["params"]["message"])

    async def leave(self) -> None:
        """Leave an empty tab, without cookies, cache and storage. Its renderer stays."""
        if not self._is_blank:
            # A script's own step: to an address that is asked for, another renderer would come.
            await self.call(
                "Runtime.evaluate",
                expression=f"sessionStorage.clear(); location.replace('{BLANK}')",
            )
        async with asyncio.timeout(WAIT_SECONDS):
            while not self._is_blank:
                self._note(await self._said())
        await self.call("Network.clearBrowserCookies")
        await self.call("Network.clearBrowserCache")
        for origin in self._origins - {"://"}:
            await self.call("Storage.clearDataForOrigin", origin=origin, storageTypes="all")

    async def begin(
        self, *, width: int = 1440, height: int = 900, scheme: str = "light", script: bool = True
    ) -> None:
        for domain in ("Page", "Runtime", "Log"):
            await self.call(f"{domain}.enable")
        await self.call("Emulation.setFocusEmulationEnabled", enabled=True)
        await self.call("Emulation.setScriptExecutionDisabled", value=not script)
        await self.look(width=width, height=height, scheme=scheme)

    async def look(self, *, width: int = 1440, height: int = 900, scheme: str = "light") -> None:
        """Show the page, also one that is open, on such a screen and in such colors.

        A page that is open stays as far scrolled as it was. Transitions to the colors are over.
        """
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        await self.call(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )
        await self.value(END_TRANSITIONS)

    async def go(self, url: str) -> None:
        await self.call("Page.navigate", url=url)
        await self.until("document.readyState == 'complete' && location.href != 'about:blank'")

    async def value(self, expression: str) -> Any:
        answer = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until the expression is true. While a page is loaded, the expression may throw."""
        asked = f"(() => {{ try {{ return !!({expression}) }} catch (e) {{ return '' + e }} }})()"
        said: object = None
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while (said := await self.value(asked)) is not True:  # noqa: ASYNC110  nobody tells
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"{expression} is {said!r}") from None

    async def type(self, text: str) -> None:
        await self.call("Input.insertText", text=text)

    async def press(self, key: str, *, code: int = 0, text: str = "") -> None:
        for kind in ("keyDown", "keyUp"):
            spelled = {"text": text} if text and kind == "keyDown" else {}
            await self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=code, **spelled
            )

    async def picture(self, file: Path) -> None:
        shot = await self.call("Page.captureScreenshot", format="png", optimizeForSpeed=True)
        file.write_bytes(base64.b64decode(shot["data"]))  # noqa: ASYNC240  a test


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
