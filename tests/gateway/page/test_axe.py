"""axe-core on the page of the stand-in, light, dark and on a phone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.gateway.page.browser import browser_tab, needs_chromium
from tests.gateway.page.lively import lively
from tests.gateway.page.serving import served
from tests.support.axe import axe, findings_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_chromium
__all__ = ["axe"]


@pytest.mark.parametrize("panel", ["phones", "wire", "faults", "account"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 360)])
async def test_axe_has_nothing_to_say(
    tmp_path: Path,
    panel: str,
    scheme: str,
    width: int,
    axe: str,
) -> None:
    async with served(lively()) as url, browser_tab(tmp_path, scheme=scheme, width=width) as tab:
        await tab.go(f"{url}/?panel={panel}")
        await tab.until("document.querySelector('#link')?.className == 'on'")
        assert await findings_of(tab, axe) == []
