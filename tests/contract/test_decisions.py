"""Decision records are numbered without a hole and say all four things."""

from __future__ import annotations

from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[2] / "deploy" / "decisions").glob("[0-9]*.md"))
PARTS = ["**Context.**", "**Options.**", "**Decision.**", "**Consequences.**"]


def test_decisions_are_numbered_from_1_without_a_hole() -> None:
    assert FILES
    assert [int(path.name[:4]) for path in FILES] == list(range(1, len(FILES) + 1))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_decision_has_its_parts_in_order(path: Path) -> None:
    text = path.read_text()
    assert text.startswith(f"# {path.name[:4]} ")
    places = [text.index(part) for part in PARTS]
    assert places == sorted(places)
