"""axe-core on the page, where it is there: `npm install --prefix build axe-core`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.gateway.page.browser import browser_tab, needs_chromium
from tests.gateway.page.lively import lively
from tests.gateway.page.serving import served

pytestmark = needs_chromium

AXE = Path(__file__).parents[3] / "build/node_modules/axe-core/axe.min.js"
FOUND = """axe.run().then((result) => JSON.stringify(result.violations.map(
  (each) => [each.impact, each.id, each.nodes[0].html.slice(0, 200)])))"""


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core in build/node_modules")
@pytest.mark.parametrize("panel", ["phones", "wire", "faults", "account"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 1440), ("light", 360)])
async def test_axe_has_nothing_to_say(tmp_path: Path, panel: str, scheme: str, width: int) -> None:
    async with served(lively()) as url, browser_tab(tmp_path, scheme=scheme, width=width) as tab:
        await tab.go(f"{url}/?panel={panel}")
        await tab.until("document.querySelector('#link')?.className == 'on'")
        await tab.value(AXE.read_text() + "; 0")
        assert json.loads(await tab.value(FOUND)) == []
