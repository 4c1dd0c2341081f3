"""Takes pictures of the page with a real conversation, and checks each.

The pictures stay in `build/pictures`, for a person to look at.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.gateway.world import EventKind
from pipeline.sender.apis.api import WayName
from tests.gateway.page.contrast import CONTRAST
from tests.gateway.ways import HANDSET, NUMBER, always, of_kind, submission, until, way_to
from tests.support.browser import needs_chromium

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.browser import Browser
    from tests.support.tab import Tab

pytestmark = needs_chromium

PICTURES = Path(__file__).parents[3] / "build" / "pictures"
ANN, BOB, MAGIC = HANDSET, "447700900002", "279991000001"
LONG = "Your table is booked for four at eight. " * 14  # four parts of GSM 7 bit
ARABIC = "شكرا، أراك لاحقا (ref 42)!"
#: The looks of each screen. The page scrolls as it is loaded, and so is loaded for each screen.
SCREENS: tuple[dict[str, dict[str, Any]], ...] = (
    {
        "light": {"scheme": "light", "width": 1440, "height": 900},
        "dark": {"scheme": "dark", "width": 1440, "height": 900},
    },
    {"laptop": {"scheme": "light", "width": 1024, "height": 700}},
    {
        "small": {"scheme": "light", "width": 360, "height": 720},
        "small-dark": {"scheme": "dark", "width": 360, "height": 720},
    },
)
PANELS = ("phones", "wire", "faults", "account")
OCTETS = "document.querySelector('#rows details:has(.inward) summary')"
WIDER = """
[...document.querySelectorAll("body *")].filter((e) => {
  const box = e.getBoundingClientRect();
  const held = e.closest("#tabs, #phones, pre, .vh, .skip");
  return box.width && !held && (box.right > innerWidth + 1 || box.left < -1);
}).map((e) => `${e.tagName}.${e.className}#${e.id}`)
"""
#: WCAG 2.2, 2.5.8: a target has at least 24 pixels, or is inside a line of text.
SMALL = """
[...document.querySelectorAll("button, input:not([type=hidden]), textarea, summary, nav a")]
  .filter((e) => {
    const box = e.getBoundingClientRect();
    const is_seen = e.checkVisibility() && box.width > 1 && !e.closest(".vh, .skip, .magic");
    return is_seen && (box.width < 24 || box.height < 24);
  })
  .map((e) => `${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 20)}`)
"""


async def converse(played: Any) -> None:
    """Send messages both ways, by several ways, with a stop, a long text and a fault."""
    gateway = played.gateway
    async with way_to(gateway, WayName.HTTP, callback=3, max_parts=4) as http:
        await http.submit(submission("Your parcel is here. Reply YES, or STOP."), always)
        await gateway.text(ANN, NUMBER, "Yes please! 👋🏽 Is before 6 pm fine? 👨‍👩‍👧")
        await http.submit(submission(LONG, command_id="a" * 32), always)
        await gateway.text(ANN, NUMBER, ARABIC)
        await gateway.text(ANN, NUMBER, "Ωmega, four parts: " + "Ω" * 240)
    async with way_to(gateway, WayName.SMPP) as smpp:
        sent = submission("Our offer of the week.", handset=BOB, command_id="b" * 32)
        await smpp.submit(sent, always)
    await gateway.text(BOB, NUMBER, "STOP")
    async with way_to(gateway, WayName.XML, timeout_seconds=1.0) as xml:
        sent = submission("Nobody hears of this.", handset=MAGIC, command_id="c" * 32)
        await xml.submit(sent, always)
        sent = submission("Refused", handset="279991000122", command_id="d" * 32)
        await xml.submit(sent, always)
    await until(lambda: len(of_kind(gateway, EventKind.SHOWN)) == 4)


async def look(tab: Tab, name: str) -> list[str]:
    """Take a picture of the page; return the errors found on it."""
    await tab.picture(PICTURES / f"{name}.png")
    found = [f"{name}: is wider than the screen: {each}" for each in await tab.value(WIDER)]
    found += [f"{name}: contrast: {each}" for each in await tab.value(CONTRAST)]
    return found + [f"{name}: small: {each}" for each in await tab.value(SMALL)]


async def look_in_each(tab: Tab, screen: dict[str, dict[str, Any]], what: str) -> list[str]:
    """Take a picture of the page in each look of the screen; return the errors found."""
    found: list[str] = []
    for name, how in screen.items():
        await tab.look(**how)
        found += await look(tab, f"{name}-{what}")
    return found


async def test_a_conversation_is_seen_in_every_look(
    browser: Browser, play: Callable[..., Any]
) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    found: list[str] = []
    async with play(numbers=(NUMBER, "447700900998")) as played, browser.tab() as tab:
        base = f"http://127.0.0.1:{played.gateway.http.port}"
        await tab.go(base)
        await tab.until("document.querySelector('#link')?.className == 'on'")
        found += await look(tab, "empty")
        await converse(played)
        await tab.until(f"document.getElementById('phone-{BOB}') != null")
        await tab.value("document.querySelector('[action=\"/faults/lose-answer\"] button').click()")
        await tab.until("document.querySelector('#faults-on').textContent == '1'")
        for screen in SCREENS:
            for panel in PANELS:
                await tab.look(**next(iter(screen.values())))
                await tab.go(f"{base}/?panel={panel}")
                await tab.until("document.querySelector('#link')?.className == 'on'")
                found += await look_in_each(tab, screen, panel)
                if panel == "wire":
                    await tab.value(f"{OCTETS}.click()")
                    await tab.until("document.querySelector('#rows .opened pre') != null")
                    found += await look_in_each(tab, screen, "octets")
        assert tab.complaints == []
    assert not found, "\n".join(sorted(set(found)))


async def test_a_gateway_that_ended_is_seen(browser: Browser, play: Callable[..., Any]) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    async with browser.tab() as tab:
        async with play() as played:
            await played.gateway.text(ANN, NUMBER, "Hello")
            await tab.go(f"http://127.0.0.1:{played.gateway.http.port}")
            await tab.until("document.querySelector('#link')?.className == 'on'")
        await tab.until("document.querySelector('#link').className == 'off'")
        await tab.value(f"document.getElementById('text-{ANN}').focus()")
        await tab.type("Anybody?")
        await tab.press("Enter", code=13, text="\r")
        await tab.until("!document.querySelector('#said').hidden")
        found = await look(tab, "ended")
        assert "does not answer" in await tab.value("document.querySelector('#said').textContent")
        assert await tab.value(f"document.getElementById('text-{ANN}').value") == "Anybody?"
    assert not found, "\n".join(sorted(set(found)))


@pytest.mark.parametrize("panel", PANELS)
async def test_every_stop_of_the_tab_key_is_seen(
    browser: Browser, play: Callable[..., Any], panel: str
) -> None:
    """WCAG 2.2, 2.4.7: the focus is visible by a line around it."""
    async with play() as played, browser.tab() as tab:
        await converse(played)
        await tab.go(f"http://127.0.0.1:{played.gateway.http.port}/?panel={panel}")
        await tab.until("document.querySelector('#link')?.className == 'on'")
        seen = []
        for _ in range(60):
            await tab.press("Tab", code=9)
            where = await tab.value(FOCUS)
            if where["name"] in seen:
                break
            seen.append(where["name"])
            assert where["is_drawn"], where
            assert where["is_seen"], where
        assert len(seen) > 8


FOCUS = """
(() => {
  const e = document.activeElement;
  const style = getComputedStyle(e);
  const box = e.getBoundingClientRect();
  return {
    name: [e.tagName, e.id, e.className, e.textContent.trim().slice(0, 20), box.x, box.y].join(" "),
    is_drawn: style.outlineStyle != "none" && parseFloat(style.outlineWidth) >= 2,
    is_seen: e == document.body || (box.right > 0 && box.bottom > 0
      && box.left < innerWidth && box.top < innerHeight),
  };
})()
"""
