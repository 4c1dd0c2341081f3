"""Which statements anyone may ask of ClickHouse: those that read what is in it, and nothing else.

Three fences, each enough for most attacks. The text: one statement, no file clause. The tree that
ClickHouse's own parser makes of it: kinds of statement, tables and functions from lists. And the
session, whose readonly=1 the engine enforces (`database.py`). The second is there because the
embedded engine runs with this process's rights, and `SELECT file('/etc/passwd')` is read-only too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

STATEMENTS: Final = frozenset(
    {
        "SelectWithUnionQuery",
        "SelectIntersectExceptQuery",
        "SelectQuery",
        "Explain",
        "ShowTables",
        "ShowColumns",
        "ShowIndexes",
        "ShowCreateTableQuery",
        "ShowCreateViewQuery",
        "DescribeQuery",
        "ExistsTableQuery",
        "ExistsViewQuery",
        "ExistsDatabaseQuery",
    }
)
_INNER_QUERIES: Final = STATEMENTS | {"TablesInSelectQuery"}
_OPENING: Final = re.compile(r"(?:[(\s]|--[^\n]*\n|/\*.*?\*/)*(\w+)", re.DOTALL)
_OPENING_WORDS: Final = frozenset(
    {"SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"}
)
_FILE_CLAUSE: Final = re.compile(r"\b(?:outfile|infile)\b", re.IGNORECASE)
TABLE_FUNCTIONS: Final = frozenset({"numbers", "values", "generate_series", "generateseries"})
SYSTEM_TABLES: Final = frozenset({"one", "numbers", "tables", "columns", "functions", "parts"})
# Categories of system.functions whose members reach beyond the data, or into the process.
_FENCED_CATEGORIES: Final = frozenset(
    {
        "",
        "AI",
        "Dictionary",
        "Embedded Dictionary",
        "Internal",
        "Introspection",
        "Machine Learning",
        "Other",
    }
)
_HARMLESS: Final = frozenset(
    """bar blockNumber byteSize countDigits currentDatabase digits displayName finalizeAggregation
    formatReadableDecimalSize formatReadableQuantity formatReadableSize formatReadableTimeDelta
    identity ignore isConstant lowCardinalityIndices lowCardinalityKeys materialize
    minSampleSizeContinuous minSampleSizeConversion neighbor normalizeQuery normalizedQueryHash
    parseReadableSize parseReadableSizeOrNull parseTimeDelta rowNumberInAllBlocks rowNumberInBlock
    runningAccumulate runningDifference runningDifferenceStartingWithFirstValue throwIf
    toColumnTypeName toTypeName tokenizeQuery transform
    variantElement variantType version visibleWidth
    in notIn globalIn globalNotIn inIgnoreSet notInIgnoreSet nullIn notNullIn globalNullIn
    _cast caseWithExpression tuple tupleElement array arrayElement map cast lambda exists
    grouping arrayJoin
    """.lower().split()
)


class Refused(ValueError):
    """The statement is not one that may be asked; the words say why."""


def statement_from_text(text: str) -> str:
    """The one statement in the text, without the semicolon at its end; raises `Refused`."""
    statement = text.strip().rstrip(";").rstrip()
    opening = _OPENING.match(statement)
    if opening is None:
        raise Refused("there is no statement")
    word = opening[1].upper()
    if word not in _OPENING_WORDS:
        raise Refused(
            f"{word} is not allowed: only SELECT, WITH, SHOW, DESCRIBE, EXPLAIN and EXISTS"
        )
    if ";" in statement:
        raise Refused(
            "one statement at a time; a semicolon in a text goes in as a parameter, or char(59)"
        )
    if _FILE_CLAUSE.search(statement):
        raise Refused("INTO OUTFILE and FROM INFILE are not allowed, nor those words inside a text")
    return statement


def fenced_functions(functions: Iterable[tuple[str, str, bool]]) -> frozenset[str]:
    """Those that may not be called, in lower case, of `(name, category, is_aggregate)`."""
    return frozenset(
        name.lower()
        for name, category, is_aggregate in functions
        if not is_aggregate and category in _FENCED_CATEGORIES and name.lower() not in _HARMLESS
    )


def check_tree(
    lines: Sequence[str], *, fenced: Collection[str], databases: Collection[str]
) -> None:
    """Raises `Refused` unless every node of an EXPLAIN AST only reads what is in ClickHouse."""
    nodes = [_Node(line) for line in lines]
    root = nodes[0] if nodes else _Node("nothing")
    if root.kind.startswith(("b'", 'b"')):  # the driver's way to give a tree that is not UTF-8
        raise Refused("octets go in as unhex('FF'), not as escapes in a text")
    if root.kind not in STATEMENTS:
        raise Refused(f"{root.kind} is not allowed: only statements that read")
    if root.kind.startswith("Select") and root.kind.endswith("UnionQuery") and root.children != 1:
        raise Refused("leave FORMAT out: the answer is JSON lines")
    parent: dict[int, _Node] = {}
    for node in nodes:
        parent[node.depth] = node
        above = parent.get(node.depth - 1)
        _check_node(node, above.kind if above else "", fenced=fenced, databases=databases)


class _Node:
    """One line of EXPLAIN AST: ` Function file (alias x) (children 1)`."""

    def __init__(self, line: str) -> None:
        words = line.lstrip(" ")
        self.depth = len(line) - len(words)
        self.kind, _, rest = words.partition(" ")
        count = re.search(r"\(children (\d+)\)$", rest)
        self.children = int(count[1]) if count else 0
        self.name = re.sub(
            r" \((?:alias .*|children \d+)\)$", "", re.sub(r" ?\(children \d+\)$", "", rest)
        )


def _check_node(
    node: _Node, above: str, *, fenced: Collection[str], databases: Collection[str]
) -> None:
    name = node.name.lower()
    first, dot, rest = name.partition(".")
    match node.kind:
        case "Function" if above == "TableExpression" and name not in TABLE_FUNCTIONS:
            raise Refused(f"the table function {node.name} is not allowed")
        case "Function" if above != "TableExpression" and name in fenced:
            raise Refused(f"the function {node.name} is not allowed")
        case "Identifier" if name in fenced or (dot and first in databases and first != "system"):
            # A function can be handed on by its name, and IN takes a table by its name.
            raise Refused(f"the name {node.name} is not allowed")
        case "Identifier" if first == "system" and dot and rest not in SYSTEM_TABLES:
            raise Refused(f"the table {node.name} is not allowed")
        case "TableIdentifier" if dot and not (
            first == "twoway" or (first == "system" and rest in SYSTEM_TABLES)
        ):
            raise Refused(f"the table {node.name} is not allowed: only those of database twoway")
        case "ColumnsApplyTransformer":
            raise Refused("APPLY is not allowed")
        case kind if kind.endswith("Query") and kind not in _INNER_QUERIES:
            raise Refused(f"{kind} is not allowed: only statements that read")
