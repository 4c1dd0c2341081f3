"""The rows of `tests/golden/`, as parameters named by their ids."""

import json
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent / "golden"


def golden_rows(name: str) -> list[Any]:
    """The rows of one file; those that cannot apply yet are skipped with their reason."""
    rows = [json.loads(line) for line in (GOLDEN / f"{name}.jsonl").read_text().splitlines()]
    return [
        pytest.param(
            row,
            id=row["id"],
            marks=[pytest.mark.skip(reason=f"{row['id']}: {row['not_yet']}")]
            if "not_yet" in row
            else [],
        )
        for row in rows
    ]
