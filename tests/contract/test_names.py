"""One meaning a name: classes, type aliases, and constants that another module imports."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ROOT = Path(__file__).parents[2]
TREES = ("pipeline", "ingest", "deploy")
#: Names that two modules may define, and why.
ALLOWED = {
    "Answer": "ours to who calls us; the other is the gateway's to what we sent",
    "log": "every module's own logger",
    "Table": "ClickHouse's answer stays inside the questions; the other is the engine's",
    "Trouble": "of a poll of logs, an error; the other is what an answer says of an API",
    "Unreadable": "the tokens' stays inside the reader of SQL; the other is of records",
}


def modules() -> dict[str, ast.Module]:
    """Every module of the tree by its dotted name."""
    return {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): ast.parse(
            path.read_text()
        )
        for tree in TREES
        for path in sorted((ROOT / tree).rglob("*.py"))
    }


def defined(tree: ast.Module) -> Iterable[str]:
    """The public classes, aliases and constants of a module; type variables are none."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (each.id for each in targets if isinstance(each, ast.Name))


def doubles(trees: Mapping[str, ast.Module]) -> dict[str, list[str]]:
    """The names with more than one meaning, and the modules that define them.

    A constant that no other module imports by its bare name is private in effect; one that is read
    as `metrics.ROWS` says whose it is.
    """
    homes: dict[str, list[str]] = defaultdict(list)
    imported = set()
    for module, tree in trees.items():
        for name in defined(tree):
            if not name.startswith("_") and len(name) > 1:
                homes[name].append(module)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                imported |= {(node.module, alias.name) for alias in node.names}
    return {
        name: found
        for name, found in homes.items()
        if len(found) > 1
        and (re.search("[a-z]", name) or any((module, name) in imported for module in found))
    }


def test_no_name_has_two_meanings() -> None:
    found = doubles(modules())
    assert {name: homes for name, homes in found.items() if name not in ALLOWED} == {}
    assert set(ALLOWED) == set(found), "a name on the list is defined once by now"


@pytest.mark.parametrize(
    ("one", "other", "names"),
    [
        pytest.param("class Batch: ...", "class Batch: ...", ["Batch"], id="two classes"),
        pytest.param("class Row: ...", "Row = tuple[int]", ["Row"], id="a class and an alias"),
        pytest.param("X_MS = 1", "X_MS = 2", [], id="constants that nobody imports"),
        pytest.param("X_MS = 1", "from a import X_MS as y\nX_MS = 2", ["X_MS"], id="imported"),
        pytest.param("class _Row: ...", "class _Row: ...", [], id="private"),
    ],
)
def test_a_double_is_found(one: str, other: str, names: list[str]) -> None:
    assert list(doubles({"a": ast.parse(one), "b": ast.parse(other)})) == names
