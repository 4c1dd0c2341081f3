"""axe-core on the page of the stand-in, light, dark and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway.page.lively import lively
from tests.gateway.page.serving import served
from tests.support.axe import axe, findings_of
from tests.support.browser import needs_chromium

if TYPE_CHECKING:
    from tests.support.browser import Browser

pytestmark = needs_chromium
__all__ = ["axe"]


@pytest.mark.parametrize("panel", ["phones", "wire", "faults", "account"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 360)])
async def test_axe_has_nothing_to_say(
    browser: Browser,
    panel: str,
    scheme: str,
    width: int,
    axe: str,
) -> None:
    async with served(lively()) as url, browser.tab(scheme=scheme, width=width) as tab:
        await tab.go(f"{url}/?panel={panel}")
        await tab.until("document.querySelector('#link')?.className == 'on'")
        assert await findings_of(tab, axe) == []
