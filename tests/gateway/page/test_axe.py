"""axe-core on the page of the stand-in, light, dark and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.gateway.page.lively import lively
from tests.gateway.page.serving import served
from tests.support.axe import axe, findings_of
from tests.support.browser import needs_chromium

if TYPE_CHECKING:
    from tests.support.browser import Browser

pytestmark = needs_chromium
__all__ = ["axe"]
PANELS = ("phones", "wire", "faults", "account")
SCHEMES = {1440: ("light", "dark"), 360: ("light",)}  # of the browser's window, by its width


async def test_axe_has_nothing_to_say_of_any_panel_in_any_look(browser: Browser, axe: str) -> None:
    found = {}
    async with served(lively()) as url, browser.tab() as tab:
        for panel in PANELS:
            for width, schemes in SCHEMES.items():
                await tab.look(width=width)
                await tab.go(f"{url}/?panel={panel}")  # it scrolls to the end as it is loaded
                await tab.until("document.querySelector('#link')?.className == 'on'")
                for scheme in schemes:
                    await tab.look(width=width, scheme=scheme)
                    found[panel, width, scheme] = await findings_of(tab, axe)
    assert len(found) == 12
    assert {where: findings for where, findings in found.items() if findings} == {}
