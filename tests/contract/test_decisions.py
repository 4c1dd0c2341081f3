"""Decision records have numbers of their own and begin with their context."""

from __future__ import annotations

from pathlib import Path

import pytest

FILES = sorted((Path(__file__).parents[2] / "deploy" / "decisions").glob("[0-9]*.md"))


def test_no_two_decisions_have_one_number() -> None:
    assert FILES
    numbers = [path.name[:4] for path in FILES]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_decision_has_its_number_and_begins_with_its_context(path: Path) -> None:
    title, _, rest = path.read_text().partition("\n")
    assert title.startswith(f"# {path.name[:4]} ")
    assert rest.lstrip().startswith("**Context.**")
