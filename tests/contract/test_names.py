"""Every name has one meaning: classes, aliases, imported constants, functions and methods."""

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
STAND_IN = ("pipeline/gateway", "pipeline/cli/gateway")
EXAMPLES = "deploy/examples"  # of others, who know nothing of ours
#: Names that two modules may define, and why.
ALLOWED = {
    "Answer": "ours to who calls us; the other is the gateway's to what we sent",
    "log": "every module's own logger",
    "Table": "ClickHouse's answer stays inside the questions; the other is the engine's",
    "Trouble": "of a poll of logs, an error; the other is what an answer says of an API",
    "Unreadable": "the tokens' stays inside the reader of SQL; the other is of records",
}
#: Functions that two modules may define, and what the name means in each.
FUNCTIONS = {
    "main": "what `python -m` or the entry point runs",
    "run": "a process, until it is told to stop",
    "say": "a line for whoever started the process",
    "parse": "a wire format's value of its octets; called as `soap.parse`, never by itself",
    "render": "the octets of such a value; called as `soap.render`",
    "make_reader": "the codec's, in Python and in the form that is there",
    "make_writer": "as `make_reader`",
}
#: Methods that unrelated classes may have, and the one meaning of each.
METHODS = {
    "abort": "end a connection at once",
    "account_of": "the account a number or scope belongs to",
    "add": "take one more of what the object collects",
    "answer": "the answer to a request",
    "apply": "make an effect that is decided so",
    "assign": "these partitions are ours now",
    "begin_undo": "remember the rows as they are; of a table, and so of a state",
    "close": "give up what is held; nothing is called after it",
    "commit": "make offsets or a transaction so",
    "commit_offsets": "commit as a member of the group; Faust's consumer asks its thread",
    "connected": "whether there is a connection",
    "decide": "what a draft comes to",
    "delete": "remove a row or a file",
    "discard": "drop changes that are not committed; of a table, and so of a state",
    "drained": "wait until what was written has left",
    "drop": "forget what is held under a name",
    "due": "rows whose time has come",
    "end": "end what goes on: a process, or a span",
    "enter": "note a record of a topic",
    "failed": "hear of a failure",
    "feed": "octets that arrived, for a reader that knows no socket",
    "find": "the entry for a key, or None",
    "first_due": "the earliest time of any row",
    "flush": "hand on what is held back",
    "from_settings": "the rules as the settings have them",
    "get": "the row of a key, or None",
    "give_up": "let go of a partition",
    "has_room": "whether more may be added",
    "is_over": "whether the time has passed",
    "keys": "the keys with a prefix",
    "listing": "the entries of a folder or of a page",
    "look": "look once, at a given time",
    "next_offsets": "where to read on, by topic",
    "noop": "ask what changes nothing, to see that the peer answers",
    "note": "remember one fact",
    "offsets_after": "the first offsets behind a block or a time",
    "parameters": "names and values that go out in a request",
    "poll": "what there is by now",
    "prepare": "get ready to run, or to be sent",
    "process_record": "do one record's work: the engine's protocol and the agent that has it",
    "put": "set the row of a key",
    "read": "what is stored, or what comes next",
    "refuse": "say no to a record or caller, and why",
    "register": "hang an agent into the app",
    "remove": "take one out of what is counted",
    "restore": "bring a state back from what was committed",
    "restored": "the state is back: the engine's protocol and the agent that has it",
    "rows": "the rows of an answer",
    "run": "work until the end",
    "scrub": "leave nothing of removed rows on disk",
    "send": "hand over to be sent",
    "settle": "give the answer, once",
    "size": "octets of a file",
    "start": "begin work; `stop` ends it",
    "stop": "end what `start` began",
    "store": "write rows, or a file at a server",
    "story_of": "what is known of one handset, message or letter",
    "sweep": "delete what nobody uses",
    "take": "what came is put into Kafka, and the answer is given",
    "text": "a field as text",
    "token": "a token to log in with; both libraries ask for it by this name",
    "undo": "go back to `begin_undo`; of a table, and so of a state",
    "write": "store a value",
}


@pytest.fixture(scope="module")
def modules() -> dict[str, ast.Module]:
    """Every module of the product by its dotted name.

    The stand-in of the gateway is left out: it is the other side, and shares no rule with the
    product.
    """
    return {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", "."): ast.parse(
            path.read_text()
        )
        for tree in TREES
        for path in sorted((ROOT / tree).rglob("*.py"))
        if not any(path.is_relative_to(ROOT / folder) for folder in (*STAND_IN, EXAMPLES))
    }


def defined(tree: ast.Module) -> Iterable[str]:
    """The public classes, aliases and constants of a module, without type variables."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (each.id for each in targets if isinstance(each, ast.Name))


def doubles(trees: Mapping[str, ast.Module]) -> dict[str, list[str]]:
    """The names with more than one meaning, and the modules that define them.

    A constant that no other module imports by its bare name is private in effect. A constant that
    is read as `metrics.ROWS` says where it belongs.
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


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(trees: Mapping[str, ast.Module]) -> dict[str, list[str]]:
    """The public functions that several modules define, and those modules."""
    homes: dict[str, list[str]] = defaultdict(list)
    for module, tree in trees.items():
        for node in tree.body:
            if isinstance(node, Function) and not node.name.startswith("_"):
                homes[node.name].append(module)
    return {name: found for name, found in homes.items() if len(found) > 1}


def methods_of(node: ast.ClassDef) -> set[str]:
    """The public methods; a property is a noun, and names a value of its class."""
    return {
        each.name
        for each in node.body
        if isinstance(each, Function)
        and not each.name.startswith("_")
        and "property" not in map(ast.unparse, each.decorator_list)
    }


def methods(trees: Mapping[str, ast.Module]) -> dict[str, list[str]]:
    """The methods that unrelated public classes have, and those classes.

    A class is related to its bases, and a protocol to every class that has all of its methods.
    """
    classes = {
        node.name: node
        for tree in trees.values()
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    family = {name: {name} for name in classes}

    def relate(one: str, other: str) -> None:
        joined = family[one] | family[other]
        family.update(dict.fromkeys(joined, joined))

    for name, node in classes.items():
        bases = [ast.unparse(base) for base in node.bases]
        for base in bases:
            if base in classes:
                relate(name, base)
        if "Protocol" in bases and (asked := methods_of(node)):
            for other in classes:
                if asked <= methods_of(classes[other]):
                    relate(name, other)
    homes: dict[str, dict[int, str]] = defaultdict(dict)
    for name, node in classes.items():
        if not name.startswith("_"):
            for method in methods_of(node):
                homes[method].setdefault(id(family[name]), name)
    return {name: list(found.values()) for name, found in homes.items() if len(found) > 1}


def test_no_name_has_two_meanings(modules: dict[str, ast.Module]) -> None:
    found = doubles(modules)
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


def test_no_function_has_two_meanings(modules: dict[str, ast.Module]) -> None:
    found = functions(modules)
    assert {name: homes for name, homes in found.items() if name not in FUNCTIONS} == {}
    assert set(FUNCTIONS) == set(found), "a name on the list is defined once by now"


def test_no_method_has_two_meanings(modules: dict[str, ast.Module]) -> None:
    found = methods(modules)
    assert {name: homes for name, homes in found.items() if name not in METHODS} == {}
    assert set(METHODS) == set(found), "a name on the list is defined once by now"


@pytest.mark.parametrize(
    ("one", "other", "names"),
    [
        pytest.param("def due_at(): ...", "def due_at(): ...", ["due_at"], id="two functions"),
        pytest.param("async def run(): ...", "def run(): ...", ["run"], id="one waits"),
        pytest.param("def _due_at(): ...", "def _due_at(): ...", [], id="private"),
        pytest.param("def due_at(): ...", "class A:\n def due_at(self): ...", [], id="a method"),
    ],
)
def test_a_double_function_is_found(one: str, other: str, names: list[str]) -> None:
    assert list(functions({"a": ast.parse(one), "b": ast.parse(other)})) == names


@pytest.mark.parametrize(
    ("one", "other", "names"),
    [
        pytest.param(
            "class A:\n def take(self): ...",
            "class B:\n def take(self): ...",
            ["take"],
            id="unrelated",
        ),
        pytest.param(
            "class A:\n def take(self): ...", "class B(A):\n def take(self): ...", [], id="a base"
        ),
        pytest.param(
            "class P(Protocol):\n def take(self): ...",
            "class B:\n def take(self): ...\n def more(self): ...",
            [],
            id="a protocol and what has its methods",
        ),
        pytest.param(
            "class P(Protocol):\n def take(self): ...\n def give(self): ...",
            "class B:\n def take(self): ...",
            ["take"],
            id="a protocol and what has only some",
        ),
        pytest.param(
            "class A:\n @property\n def end(self): ...",
            "class B:\n def end(self): ...",
            [],
            id="a property",
        ),
        pytest.param(
            "class _A:\n def take(self): ...", "class B:\n def take(self): ...", [], id="private"
        ),
    ],
)
def test_a_double_method_is_found(one: str, other: str, names: list[str]) -> None:
    assert list(methods({"a": ast.parse(one), "b": ast.parse(other)})) == names
