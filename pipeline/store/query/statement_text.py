"""The first fence: checks the words of a statement, independently of ClickHouse's parser.

It sees every clause, also clauses that the parser's tree does not show. A name before a bracket
counts as a call, wherever it stands, and every call must be on the list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipeline.store.query.functions import TABLE_FUNCTIONS, may_call
from pipeline.store.query.statement_tokens import Token, Unreadable, tokens_from_text

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

SYSTEM_TABLES: Final = frozenset({"one", "numbers", "columns", "functions", "parts"})
#: Columns of system.parts that name folders and disks of the machine.
_PLACES: Final = frozenset({"path", "disk_name"})
_OPENING_WORDS: Final = frozenset(
    {"SELECT", "WITH", "FROM", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS"}
)
#: Words of SQL and types that may stand before a bracket and are not calls.
BEFORE_BRACKETS: Final = frozenset(
    [
        "all",
        "and",
        "any",
        "anti",
        "array",
        "as",
        "asc",
        "between",
        "by",
        "case",
        "columns",
        "cube",
        "cross",
        "desc",
        "distinct",
        "div",
        "else",
        "except",
        "exists",
        "fill",
        "filter",
        "from",
        "full",
        "global",
        "grouping",
        "having",
        "ilike",
        "in",
        "inner",
        "intersect",
        "interpolate",
        "interval",
        "join",
        "left",
        "like",
        "limit",
        "materialized",
        "mod",
        "natural",
        "not",
        "offset",
        "on",
        "or",
        "order",
        "outer",
        "over",
        "partition",
        "prewhere",
        "qualify",
        "recursive",
        "replace",
        "right",
        "rollup",
        "sample",
        "select",
        "semi",
        "sets",
        "step",
        "then",
        "to",
        "union",
        "using",
        "values",
        "when",
        "where",
        "window",
        "with",
        "datetime",
        "datetime32",
        "datetime64",
        "decimal",
        "decimal32",
        "decimal64",
        "decimal128",
        "decimal256",
        "enum",
        "enum8",
        "enum16",
        "fixedstring",
        "lowcardinality",
        "map",
        "nullable",
        "tuple",
        "variant",
    ]
)
_REFUSED_WORDS: Final = frozenset({"outfile", "infile", "settings", "apply", "identifier"})
_NAME: Final = r"(?:twoway \. )?[a-z_0-9]+"
#: The allowed forms of other statements than queries, in lower case, with '' for each text.
_SHAPES: Final = tuple(
    re.compile(shape)
    for shape in (
        r"show (?:full )?tables(?: (?:from|in) twoway)?(?: (?:not )?i?like '')?",
        rf"show (?:full )?(?:columns|fields) (?:from|in) {_NAME}(?: (?:from|in) twoway)?",
        rf"show create (?:table |view )?{_NAME}",
        rf"desc(?:ribe)? (?:table )?{_NAME}",
        rf"exists (?:table |view )?{_NAME}",
        r"exists database twoway",
    )
)
_EXPLAINED: Final = re.compile(
    r"explain (?:ast |syntax |plan |pipeline |estimate |query tree )?"
    r"(?:[a-z_]{1,30} = [01] (?:, )?){0,8}(?:select|with|from|\()(?: |$)"
)


class Refused(ValueError):
    """The statement is not allowed; the words say why."""


def statement_from_text(text: str) -> str:
    """The one statement in the text, without the semicolon at its end; raises `Refused`."""
    tokens = _read(text)
    end = len(text)
    while tokens and tokens[-1].is_sign(";"):
        end = tokens.pop().at
    if not tokens:
        raise Refused("there is no statement")
    if any(token.is_sign(";") for token in tokens):
        raise Refused("one statement at a time")
    _check_opening(tokens)
    _check_shape(tokens)
    return text[:end].strip()


def check_words(statement: str, *, fenced: Collection[str], databases: Collection[str]) -> None:
    """Raises `Refused` unless every name in the statement may be used.

    `fenced` are the functions of the engine that may not be called. `databases` are all databases
    but twoway and system. Both are in lower case.
    """
    tokens = _read(statement)
    for index, token in enumerate(tokens):
        if token.kind == "parameter" and "identifier" in token.text.lower().partition(":")[2]:
            raise Refused("a parameter is a value, and no name of a table or column")
        if not token.is_name:
            continue
        lower = token.text.lower()
        after = next(
            (other.text for other in tokens[index + 1 : index + 2] if other.kind == "sign"), ""
        )
        if token.kind == "word" and lower in _REFUSED_WORDS:
            raise Refused(f"{token.text.upper()} is not allowed; put a name like this in quotes")
        if after == "(" and not _may_stand_before_bracket(token, lower):
            raise Refused(f"the function {token.text} is not allowed")
        if lower in fenced:
            raise Refused(f"the name {token.text} is not allowed")
        if after == "." and lower in databases:
            raise Refused(f"the database {token.text} is not allowed: only twoway")
    _check_system(tokens)


def _may_stand_before_bracket(token: Token, lower: str) -> bool:
    is_plain = token.kind == "word" and lower in BEFORE_BRACKETS
    return is_plain or lower in TABLE_FUNCTIONS or may_call(lower)


def _check_system(tokens: Sequence[Token]) -> None:
    reads_parts = False
    for first, dot, table in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if first.is_name and first.text.lower() == "system" and dot.text == ".":
            if table.text not in SYSTEM_TABLES:
                raise Refused(f"the table system.{table.text} is not allowed")
            reads_parts = reads_parts or table.text == "parts"
    if reads_parts:
        _check_parts(tokens)


def _check_parts(tokens: Sequence[Token]) -> None:
    """Allow only some columns of `system.parts`, by name: a `*` or a pattern would show all."""
    for index, token in enumerate(tokens):
        behind = [other.text.lower() for other in tokens[max(0, index - 2) : index]]
        if token.is_sign("*") and behind != ["count", "("]:
            raise Refused("name the columns of system.parts, one by one")
        if token.is_name and token.text.lower() in _PLACES | {"columns", "untuple"}:
            raise Refused(f"{token.text} of system.parts is not allowed")


def _check_opening(tokens: Sequence[Token]) -> None:
    opening = next((token for token in tokens if token.text != "("), tokens[0])
    if not opening.is_name and opening.kind != "number":
        raise Refused("there is no statement")
    word = opening.text.upper()
    if opening.kind != "word" or word not in _OPENING_WORDS:
        raise Refused(
            f"{word[:64]} is not allowed: only SELECT, WITH, SHOW, DESCRIBE, EXPLAIN and EXISTS"
        )


def _check_shape(tokens: Sequence[Token]) -> None:
    words = " ".join("''" if token.kind == "text" else token.text.lower() for token in tokens[:32])
    opening = words.partition(" ")[0]
    if opening == "explain" and not _EXPLAINED.match(words):
        raise Refused("EXPLAIN is allowed only before a SELECT")
    if opening in ("show", "desc", "describe", "exists") and (
        len(tokens) > 16 or not any(shape.fullmatch(words) for shape in _SHAPES)
    ):
        raise Refused(
            f"this form of {opening.upper()} is not allowed: SHOW TABLES [LIKE '…'], SHOW COLUMNS"
            " FROM x, SHOW CREATE TABLE x, DESCRIBE x and EXISTS x are"
        )


def _read(text: str) -> list[Token]:
    try:
        return tokens_from_text(text)
    except Unreadable as error:
        raise Refused(str(error)) from error
