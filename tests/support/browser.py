"""Drives headless Chromium by the Chrome DevTools Protocol 1.3: read, click, type."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
import subprocess
import tempfile
from contextlib import asynccontextmanager
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
        self.complaints: list[str] = []  # errors in the console, also of the security policy
        self.dialogs: list[str] = []

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                message = await self._socket.receive()
                if message.type is not aiohttp.WSMsgType.TEXT:
                    raise ConnectionError("the browser or the tab is gone")
                said = message.json()
                if said.get("id") == number:
                    assert "error" not in said, said["error"]
                    return said["result"]
                self._note(said)

    def _note(self, said: dict[str, Any]) -> None:
        match said.get("method"):
            case "Log.entryAdded":
                self.complaints.append(said["params"]["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(said["params"]["exceptionDetails"]))
            case "Page.javascriptDialogOpening":
                self.dialogs.append(said["params"]["message"])

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

    Each tab has a context of its own: its cookies, cache and storage are new and end with it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._address = ("", "")

    @asynccontextmanager
    async def tab(self, **look: Any) -> AsyncIterator[Tab]:
        """A tab of a new context; `look` is that of `Tab.begin`."""
        async with aiohttp.ClientSession() as session, self._open(session) as browser:
            made = await browser.call("Target.createBrowserContext")
            context = made["browserContextId"]
            try:
                opened = await browser.call(
                    "Target.createTarget", url="about:blank", browserContextId=context
                )
                page = f"{self._address[0]}/devtools/page/{opened['targetId']}"
                async with session.ws_connect(page, max_msg_size=0) as socket:
                    tab = Tab(socket, context)
                    await tab.begin(**look)
                    yield tab
            finally:
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


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for the tests of this process."""
    opened = Browser(tmp_path_factory.mktemp("browser"))
    yield opened
    opened.close()
