"""axe-core, and the browser's own eye: is a page fit for everybody?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.installing import installed_by_npm

if TYPE_CHECKING:
    from tests.support.tab import Tab

_FOLDER = Path(__file__).parent / "npm" / "axe"
# Of what is right it need not say where it is.
_FOUND = """axe.run({resultTypes: ["violations"]}).then((result) => JSON.stringify(
  result.violations.map((each) => [each.impact, each.id, each.nodes[0].html.slice(0, 200)])))"""


@pytest.fixture(scope="session")
def axe() -> str:
    """The script; npm installs it once by its lock file. Skipped by name without npm."""
    folder = installed_by_npm("axe-core", _FOLDER)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


async def findings_of(tab: Tab, axe: str) -> list[list[str]]:
    """What axe has to say of the page that is open: how bad, which rule, where."""
    if not await tab.value("'axe' in window"):
        await tab.value(f"{axe}; 0")
    found: list[list[str]] = json.loads(await tab.value(_FOUND))
    return found
