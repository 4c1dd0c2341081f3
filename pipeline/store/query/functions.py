"""The functions that an analyst's statement may call, from `deploy/clickhouse/functions.txt`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

FILE: Final = Path(__file__).resolve().parents[3] / "deploy" / "clickhouse" / "functions.txt"
TABLE_FUNCTIONS: Final = frozenset({"numbers", "values", "generate_series", "generateseries"})
#: Suffixes of ClickHouse's names of aggregates (combinators), the longer first.
_COMBINATORS: Final = (
    "simplestate", "mergestate", "ordefault", "distinct", "resample", "foreach", "argmin",
    "argmax", "ornull", "state", "merge", "array", "null", "map", "if",
)  # fmt: skip
_MOST_COMBINATORS: Final = 4


def may_call(name: str) -> bool:
    """Whether a function may be called, in upper or lower case."""
    lower = name.lower()
    return lower in _named("functions") or _is_aggregate(lower, _MOST_COMBINATORS)


def _is_aggregate(lower: str, combinators: int) -> bool:
    if lower in _named("aggregates"):
        return True
    return combinators > 0 and any(
        _is_aggregate(lower.removesuffix(words), combinators - 1)
        for words in _COMBINATORS
        if lower.endswith(words)
    )


@cache
def _named(section: str) -> frozenset[str]:
    found: set[str] = set()
    inside = ""
    for line in FILE.read_text("ascii").splitlines():
        if line.startswith("["):
            inside = line.strip("[]")
        elif not line.startswith("#") and inside == section:
            found.update(line.lower().split())
    return frozenset(found)
