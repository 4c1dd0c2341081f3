"""A tab of headless Chromium, by the Chrome DevTools Protocol 1.3: read, click, type."""

from __future__ import annotations

import asyncio
import base64
import itertools
from typing import TYPE_CHECKING, Any

import aiohttp

if TYPE_CHECKING:
    from pathlib import Path

WAIT_SECONDS = 30.0
BLANK = "about:blank"
END_TRANSITIONS = """
for (const each of document.getAnimations())
  if (each instanceof CSSTransition) each.finish();
"""


class Refused(AssertionError):
    """The browser refuses a call: often because the page that it is for has gone."""


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
                    if "error" in said:
                        raise Refused(said["error"])
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
        """Wait until the expression is true.

        While a page is loaded, the expression may throw, and the browser may refuse to ask.
        """
        asked = f"(() => {{ try {{ return !!({expression}) }} catch (e) {{ return '' + e }} }})()"
        said: object = None
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                while True:
                    try:
                        said = await self.value(asked)
                    except Refused as error:
                        said = error
                    if said is True:
                        return
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
