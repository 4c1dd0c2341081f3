"""The rows of `tests/golden/`, as parameters named by their ids."""

import json
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"


def all_rows(name: str) -> list[dict[str, Any]]:
    """Every row of one file, those that do not apply to us too."""
    return [json.loads(line) for line in (GOLDEN / f"{name}.jsonl").read_text().splitlines()]


def golden_rows(name: str) -> list[Any]:
    """The rows of one file that apply; the others say in `not_here` why they do not."""
    return [pytest.param(row, id=row["id"]) for row in all_rows(name) if "not_here" not in row]
