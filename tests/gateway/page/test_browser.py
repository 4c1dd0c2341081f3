"""The page in a real browser: live, by keyboard, on a small screen, and with a hostile text."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.gateway.page.contrast import CONTRAST
from tests.gateway.page.lively import ALICE, BOB, CARLA, MARKUP, NUMBER, Lively, lively
from tests.gateway.page.serving import served
from tests.support.browser import needs_chromium

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.browser import Browser
    from tests.support.tab import Tab

pytestmark = needs_chromium


@asynccontextmanager
async def open_page(
    desk: Lively, browser: Browser, path: str = "/", **look: Any
) -> AsyncIterator[Tab]:
    """The page, once it is live; the test fails if the browser logs an error."""
    async with served(desk) as url, browser.tab(**look) as tab:
        await tab.go(url + path)
        if look.get("script", True):
            await tab.until("document.querySelector('#link')?.className == 'on'")
        yield tab
        assert tab.complaints == []
        assert tab.dialogs == []


def in_thread(handset: str, words: str) -> str:
    """A script that says whether a phone shows the words."""
    return f"document.getElementById('thread-{handset}')?.innerText.includes({json.dumps(words)})"


async def test_what_happens_comes_without_a_reload(browser: Browser) -> None:
    desk = lively()
    async with open_page(desk, browser) as tab:
        await tab.value("window.same = true")
        desk.mt(ALICE, "Live and fresh")
        await tab.until(in_thread(ALICE, "Live and fresh"))
        assert "Live and fresh" in await tab.value("document.querySelector('#rows').innerText")
        desk.mt("447700900055", "A phone that was not there")
        await tab.until("document.getElementById('thread-447700900055') != null")
        await tab.until(in_thread("447700900055", "A phone that was not there"))
        desk.on.add("hang")
        desk.mo(BOB, "START")
        await tab.until("document.querySelector('#faults-on').textContent == '2'")
        assert await tab.value("window.same")


async def test_one_types_as_a_handset_by_keyboard_alone(browser: Browser) -> None:
    desk = lively()
    async with open_page(desk, browser) as tab:
        await tab.value(f"document.getElementById('text-{ALICE}').focus()")
        await tab.type("Typed \U0001f44b")
        await tab.until("document.querySelector('.measure').textContent.includes('UCS-2')")
        await tab.press("Enter", code=13, text="\r")
        await tab.until(in_thread(ALICE, "Typed \U0001f44b"))
        assert desk.texted == [(ALICE, NUMBER, "Typed \U0001f44b")]
        await tab.until(f"document.getElementById('text-{ALICE}').value == ''")
        assert await tab.value("document.activeElement.id") == f"text-{ALICE}"
        await tab.press("Tab", code=9)
        await tab.press("Tab", code=9)
        assert await tab.value("document.activeElement.value") == "STOP"
        await tab.press("Enter", code=13, text="\r")
        await tab.until("document.querySelector('.measure').textContent == ''")
        await tab.until(in_thread(ALICE, "STOP"))
        assert desk.texted[-1] == (ALICE, NUMBER, "STOP")


async def test_a_switch_keeps_the_focus_when_it_turns(browser: Browser) -> None:
    desk = lively()
    async with open_page(desk, browser, "/?panel=faults") as tab:
        hang = "document.querySelector('[action=\"/faults/hang\"] button')"
        await tab.value(f"{hang}.focus()")
        await tab.press("Enter", code=13, text="\r")
        await tab.until(f"{hang}.getAttribute('aria-checked') == 'true'")
        assert desk.on == {"lose-answer", "hang"}
        assert await tab.value(f"document.activeElement == {hang}")


async def test_the_octets_of_a_bubble_open_beside_it(browser: Browser) -> None:
    async with open_page(lively(), browser) as tab:
        await tab.value(f"document.querySelector('#thread-{ALICE} .octets').click()")
        await tab.until("document.querySelector('#x1 .opened pre')?.innerText.includes('sendmsg')")
        assert await tab.value("document.activeElement.closest('li').id") == "x1"


async def test_the_list_is_narrowed_by_words(browser: Browser) -> None:
    async with open_page(lively(), browser) as tab:
        await tab.press("/", code=191, text="/")
        assert await tab.value("document.activeElement.id") == "find"
        await tab.type("soap handed")
        rows = "[...document.querySelectorAll('#rows > li')].filter((row) => !row.hidden).length"
        await tab.until(f"{rows} == 1")


async def test_a_search_without_a_hit_says_so(browser: Browser) -> None:
    async with open_page(lively(), browser) as tab:
        await tab.press("/", code=191, text="/")
        await tab.type("no such words")
        await tab.until("!document.querySelector('#none-found').hidden")
        await tab.press("Escape", code=27)
        await tab.until("document.querySelector('#none-found').hidden")
        assert await tab.value("document.querySelector('#find').value") == ""


async def test_a_text_on_its_way_is_not_sent_again(browser: Browser) -> None:
    desk, gone = lively(), asyncio.Event()
    text = desk.text

    async def slow(*given: str) -> None:
        await gone.wait()
        await text(*given)

    desk.text = slow  # type: ignore[method-assign]
    async with open_page(desk, browser) as tab:
        await tab.value(f"document.getElementById('text-{ALICE}').focus()")
        await tab.type("Once")
        for _ in range(3):
            await tab.press("Enter", code=13, text="\r")
        await tab.until("document.querySelector('.composer[aria-busy=true]') != null")
        gone.set()
        await tab.until("document.querySelector('.composer[aria-busy=true]') == null")
        assert desk.texted == [(ALICE, NUMBER, "Once")]


async def test_an_error_is_said_and_can_be_closed(browser: Browser) -> None:
    async with open_page(lively(), browser) as tab:
        await tab.value(f"document.getElementById('to-{ALICE}').value = 'SHOP'")
        await tab.value(f"document.getElementById('text-{ALICE}').focus()")
        await tab.type("Hello")
        await tab.press("Enter", code=13, text="\r")
        await tab.until("document.querySelector('#said').innerText.includes('the number to text')")
        assert await tab.value(f"document.getElementById('text-{ALICE}').value") == "Hello"
        await tab.press("Escape", code=27)
        await tab.until("document.querySelector('#said').hidden")
        tab.complaints.clear()  # the browser logs an answer of 400


async def test_the_rules_in_use_stand_above_the_switches(browser: Browser) -> None:
    desk = lively()
    rules = ["html way=xml"]
    desk.rules = lambda: rules  # type: ignore[method-assign]
    async with open_page(desk, browser, "/?panel=faults") as tab:
        assert "html way=xml" in await tab.value("document.querySelector('#rules').innerText")
        rules.clear()
        desk.mt(ALICE, "Something happens")
        await tab.until("!document.querySelector('#rules').checkVisibility()")


async def test_no_hostile_text_acts(browser: Browser) -> None:
    desk = lively()
    async with open_page(desk, browser) as tab:
        before = await tab.value("document.querySelectorAll('script, style, img, iframe').length")
        await desk.text(BOB, NUMBER, MARKUP + "\0\u202eend")
        desk.mo(MARKUP, "from nobody", way='http"><b>')
        desk.mt(BOB, "Sender", sender_id=MARKUP)
        await tab.until(in_thread(BOB, "end"))
        counted = await tab.value("document.querySelectorAll('script, style, img, iframe').length")
        assert counted == before


async def test_a_crafted_place_in_the_address_acts_on_nothing(browser: Browser) -> None:
    async with open_page(lively(), browser, "/?phone=%3Cscript%3E#x%22%3E%3Cb%3E") as tab:
        assert await tab.value("document.body.dataset.panel") == "phones"


@pytest.mark.parametrize(("width", "columns"), [(390, 1), (1_600, 3)])
async def test_nothing_is_wider_than_the_screen(browser: Browser, width: int, columns: int) -> None:
    desk = lively()
    desk.mt(CARLA, "W" * 2_000)
    async with open_page(desk, browser, width=width, height=840) as tab:
        assert await tab.value("document.documentElement.scrollWidth") <= width
        for thread in ("list.scrollWidth <= list.clientWidth + 1",):
            assert await tab.value(
                f"[...document.querySelectorAll('.thread')].every((list) => {thread})"
            )
        shown = await tab.value(
            "[...document.querySelectorAll('.phone')].filter((phone) =>"
            " phone.getBoundingClientRect().right <= document.querySelector('#phones')"
            ".getBoundingClientRect().right + 1).length"
        )
        assert shown == columns
        # The longest number of E.164 is seen whole, also beside the arrow of the list.
        assert (
            await tab.value(
                "[...document.querySelectorAll('.to input')].filter((input) => {"
                " input.value = '888888888888888'; input.focus();"
                " return input.scrollWidth > input.clientWidth; }).length"
            )
            == 0
        )


async def test_it_works_without_script(browser: Browser) -> None:
    desk = lively()
    async with open_page(desk, browser, script=False) as tab:
        assert await tab.value("document.querySelector('#link').className") == ""
        await tab.value(f"document.getElementById('text-{ALICE}').focus()")
        await tab.type("Plain form")
        await tab.press("Tab", code=9)
        await tab.press("Enter", code=13, text="\r")
        await tab.until(in_thread(ALICE, "Plain form"))
        assert (await tab.value("location.search + location.hash")).startswith(f"?phone={ALICE}")
        await tab.go(await tab.value("location.origin") + "/?panel=faults")
        await tab.value("document.querySelector('[action=\"/faults/hang\"] button').focus()")
        await tab.press("Enter", code=13, text="\r")
        await tab.until("document.querySelector('#faults-on')?.innerText == '2'")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_words_stand_out_from_their_ground(browser: Browser, scheme: str) -> None:
    """WCAG 2.2, 1.4.3: 4.5 to 1 for text of this size."""
    async with open_page(lively(), browser, scheme=scheme, width=1_600) as tab:
        poor = await tab.value(CONTRAST)
        assert poor == []


async def test_every_control_has_a_name(browser: Browser) -> None:
    """WCAG 2.2, 4.1.2, as the browser's own tree for screen readers has it."""
    async with open_page(lively(), browser) as tab:
        tree = (await tab.call("Accessibility.getFullAXTree"))["nodes"]
    controls = {
        "button",
        "link",
        "textbox",
        "switch",
        "combobox",
        "searchbox",
        "DisclosureTriangle",
    }
    named = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in tree
        if not node["ignored"] and node["role"]["value"] in controls
    ]
    assert len(named) > 30
    assert [role for role, name in named if not name.strip()] == []
    roles = [node["role"]["value"] for node in tree if not node["ignored"]]
    assert roles.count("main") == 1
    assert roles.count("log") == 4
