"""Checks that an analyst's statement only reads what is in ClickHouse.

Three fences check a statement, and none relies on another:

1. The words of the text (`statement_text.py`): every call in every clause must be on a list.
2. The tree that ClickHouse's own parser makes of the text (this file): the kinds of statement and
   of node, the functions and the tables must be on lists.
3. The session (`database.py`): the engine enforces readonly=1, and grants no access to files,
   addresses or programs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.store.query.functions import TABLE_FUNCTIONS, may_call
from pipeline.store.query.statement_text import SYSTEM_TABLES, Refused

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_SELECTS: Final = frozenset({"SelectWithUnionQuery", "SelectIntersectExceptQuery", "SelectQuery"})
STATEMENTS: Final = _SELECTS | {
    "Explain",
    "ShowTables",
    "ShowColumns",
    "ShowCreateTableQuery",
    "ShowCreateViewQuery",
    "DescribeQuery",
    "ExistsTableQuery",
    "ExistsViewQuery",
    "ExistsDatabaseQuery",
}
#: The kinds of node that a statement may have below its first node.
NODES: Final = _SELECTS | {
    "ArrayJoin",
    "Asterisk",
    "ColumnsExceptTransformer",
    "ColumnsListMatcher",
    "ColumnsRegexpMatcher",
    "ColumnsReplaceTransformer",
    "ColumnsReplaceTransformer::Replacement",
    "ColumnsTransformerList",
    "DataType",
    "EnumDataType",
    "ExpressionList",
    "Function",
    "Identifier",
    "InterpolateElement",
    "Literal",
    "NameTypePair",
    "OrderByElement",
    "QualifiedAsterisk",
    "QualifiedColumnsListMatcher",
    "QualifiedColumnsRegexpMatcher",
    "QueryParameter",
    "SampleRatio",
    "Subquery",
    "TableExpression",
    "TableIdentifier",
    "TableJoin",
    "TablesInSelectQuery",
    "TablesInSelectQueryElement",
    "TupleDataType",
    "WindowDefinition",
    "WindowListElement",
    "WithElement",
}


def check_tree(
    lines: Sequence[str], *, fenced: Collection[str], databases: Collection[str]
) -> None:
    """Raises `Refused` unless every node of an EXPLAIN AST only reads what is in ClickHouse."""
    nodes = [_Node(line) for line in lines]
    root = nodes[0] if nodes else _Node("nothing")
    if root.kind.startswith(("b'", 'b"')):  # so the driver returns a tree that is not UTF-8
        raise Refused("octets go in as unhex('FF'), not as escapes in a text")
    if root.kind not in STATEMENTS:
        raise Refused(f"{root.kind} is not allowed: only statements that read")
    if root.kind.startswith("Select") and root.kind.endswith("UnionQuery") and root.children != 1:
        raise Refused("leave FORMAT out: the answer is JSON lines")
    parent: dict[int, _Node] = {root.depth: root}
    for node in nodes[1:]:
        parent[node.depth] = node
        above = parent.get(node.depth - 1)
        _check_node(node, above.kind if above else "", fenced=fenced, databases=databases)


class _Node:
    """One line of EXPLAIN AST: ` Function file (alias x) (children 1)`."""

    def __init__(self, line: str) -> None:
        words = line.lstrip(" ")
        self.depth = len(line) - len(words)
        before, mark, count = words.rpartition(" (children ")
        is_counted = bool(mark) and count.endswith(")") and count[:-1].isdigit()
        self.children = int(count[:-1][:9]) if is_counted else 0
        self.kind, _, rest = (before if is_counted else words).partition(" ")
        self.name = rest.partition(" (alias ")[0]


def _check_node(
    node: _Node, above: str, *, fenced: Collection[str], databases: Collection[str]
) -> None:
    name = node.name.lower()
    first, dot, rest = name.partition(".")
    if node.kind not in NODES:
        raise Refused(f"{node.kind[:64]} is not allowed: only statements that read")
    match node.kind:
        case "Function" if above == "TableExpression" and name not in TABLE_FUNCTIONS:
            raise Refused(f"the table function {node.name} is not allowed")
        case "Function" if above != "TableExpression" and not _may_call(name):
            raise Refused(f"the function {node.name} is not allowed")
        case "Identifier" if name in fenced or (dot and first in databases):
            # A function can be passed by its name, and IN accepts the name of a table.
            raise Refused(f"the name {node.name} is not allowed")
        case "Identifier" if first == "system" and dot and not _is_of_system(rest):
            raise Refused(f"the table {node.name} is not allowed")
        case "TableIdentifier" if dot and not (
            first == "twoway" or (first == "system" and rest in SYSTEM_TABLES)
        ):
            raise Refused(f"the table {node.name} is not allowed: only those of database twoway")


def _may_call(name: str) -> bool:
    # The parser turns operators of SQL into these functions.
    return may_call(name) or name in ("lambda", "cast", "exists", "grouping", "in")


def _is_of_system(rest: str) -> bool:
    """Whether `rest` is a table of `system` that may be read, or a column of one."""
    return rest.partition(".")[0] in SYSTEM_TABLES
