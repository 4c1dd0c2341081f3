"""The rows of `tests/golden/`, as parameters with their ids as names."""

import json
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"


def all_rows(name: str) -> list[dict[str, Any]]:
    """Every row of one file, also the rows that do not apply to us."""
    return [json.loads(line) for line in (GOLDEN / f"{name}.jsonl").read_text().splitlines()]


def golden_rows(name: str) -> list[Any]:
    """The rows of one file that apply; the others have the reason in `not_here`."""
    return [pytest.param(row, id=row["id"]) for row in all_rows(name) if "not_here" not in row]
