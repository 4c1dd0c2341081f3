"""A draft changes only through its methods, and an event is made by keyword."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipeline import stages
from pipeline.stages.consent import draft
from pipeline.stages.consent.row import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

OWN = Path(draft.__file__)
FOLDER = Path(stages.__file__).parent
DRAFT = draft.ConsentDraft.__name__
CHANGES = {"append", "extend", "insert", "remove", "pop", "clear", "sort", "update"}


def drafts_in(tree: ast.AST) -> set[str]:
    """The names that hold a draft: arguments and variables with its annotation or constructor."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.arg(arg=name, annotation=ast.Name(id=kind)) if kind == DRAFT:
                names.add(name)
            case ast.Assign(
                targets=[ast.Name(id=name)], value=ast.Call(func=ast.Name(id=kind))
            ) if kind == DRAFT:
                names.add(name)
    return names


def writes(source: str) -> Iterator[str]:
    """Every change of a draft's field: an assignment, a deletion, a change of a list."""
    tree = ast.parse(source)
    names = drafts_in(tree)

    def is_field(node: ast.AST) -> bool:
        while isinstance(node, ast.Attribute | ast.Subscript):
            if isinstance(node.value, ast.Name) and node.value.id in names:
                return isinstance(node, ast.Attribute)
            node = node.value
        return False

    for node in ast.walk(tree):
        match node:
            case (
                ast.Attribute(ctx=ast.Store() | ast.Del())
                | ast.Subscript(ctx=ast.Store() | ast.Del())
            ) if is_field(node):
                yield ast.unparse(node)
            case ast.Call(func=ast.Attribute(attr=attr, value=value)) if (
                attr in CHANGES and is_field(value)
            ):
                yield ast.unparse(node)
            case ast.Attribute(attr=attr) if attr.startswith("_") and is_field(node):
                yield ast.unparse(node)


@pytest.mark.parametrize(
    "file",
    [file for file in sorted(FOLDER.rglob("*.py")) if file != OWN],
    ids=lambda file: str(file.relative_to(FOLDER)),
)
def test_nobody_writes_the_fields_of_a_draft(file: Path) -> None:
    assert list(writes(file.read_text())) == []


@pytest.mark.parametrize(
    "line",
    [
        "draft.last_at = 3",
        "draft.last_at, x = 3, 4",
        "draft.last_at += 3",
        "draft.commands.append(x)",
        "draft.uses[0] = x",
        "del draft.uses",
        "draft._commands",
    ],
)
def test_a_write_is_found(line: str) -> None:
    assert list(writes(f"def f(draft: {DRAFT}):\n    {line}\n"))
    assert list(writes(f"draft = {DRAFT}(row)\n{line}\n"))
    assert not list(writes(f"def f(other: Scopes):\n    {line.replace('draft', 'other')}\n"))


def test_drafts_are_found_where_they_are_used() -> None:
    using = {file.name for file in FOLDER.rglob("*.py") if drafts_in(ast.parse(file.read_text()))}
    assert using >= {"confirmation.py", "decide.py", "help.py", "judge.py", "message.py"}


def test_an_event_is_made_by_keyword() -> None:
    assert Event(at=1, arrival=2, ours=3, gateway=0).order == (1, 2)
    with pytest.raises(TypeError):
        Event(1, 2, 3, 0)  # type: ignore[call-arg]
