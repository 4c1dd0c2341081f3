"""No module is longer than 250 lines, except test modules."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MOST_LINES = 250
TREES = ("pipeline", "ingest", "deploy", "tests/support")


def too_long(root: Path) -> dict[str, int]:
    """The modules over the bound, with their lines; a test module is a table, and may be long."""
    return {
        path.relative_to(root).as_posix(): lines
        for tree in TREES
        for path in sorted((root / tree).rglob("*.py"))
        if not path.name.startswith("test_")
        and (lines := len(path.read_text().splitlines())) > MOST_LINES
    }


def test_no_module_is_too_long() -> None:
    assert too_long(ROOT) == {}


@pytest.mark.parametrize(
    ("name", "lines", "found"),
    [
        ("pipeline/stages/long.py", MOST_LINES + 1, {"pipeline/stages/long.py": MOST_LINES + 1}),
        ("pipeline/stages/long.py", MOST_LINES, {}),
        ("tests/support/long.py", MOST_LINES + 1, {"tests/support/long.py": MOST_LINES + 1}),
        ("tests/support/test_long.py", MOST_LINES + 1, {}),
        ("elsewhere/long.py", MOST_LINES + 1, {}),
    ],
)
def test_a_module_that_is_too_long_is_found(
    tmp_path: Path, name: str, lines: int, found: dict[str, int]
) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True)
    path.write_text("x = 1\n" * lines)
    assert too_long(tmp_path) == found
