"""An answer of the report in the form that the user wants: lines of JSON, a table or CSV."""

from __future__ import annotations

import csv
import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.saying import say
from pipeline.cli.terminal.table import lines_of_table

if TYPE_CHECKING:
    from collections.abc import Sequence


class Form(StrEnum):
    """How rows are printed."""

    JSON = "json"
    TABLE = "table"
    CSV = "csv"


FormOption = Annotated[
    Form,
    typer.Option(
        "--format",
        metavar="FORM",
        help="json (a line for each row), table, or csv (no cell runs as a formula).",
    ),
]
ParamOption = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="NAME=VALUE", help="Value of {NAME:Type}; repeatable."),
]


def print_answer(lines: Sequence[str], form: Form) -> None:
    """Print the rows of an answer, each a line of JSON."""
    if form is Form.JSON:
        for line in lines:
            say(line)
        return
    rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
    heads = list(rows[0]) if rows else []
    if form is Form.CSV:
        from pipeline.store.report.export.csv_form import cell_from_value

        writer = csv.writer(sys.stdout, lineterminator="\r\n")
        writer.writerows([heads] if rows else [])
        writer.writerows([cell_from_value(_flat(row[name])) for name in heads] for row in rows)
        return
    shown = [[" ".join(str(_flat(row[name])).split()) for name in heads] for row in rows]
    for line in lines_of_table(heads, shown) if rows else ():
        say(line)


def _flat(value: Any) -> Any:
    """A cell: nothing for null, JSON for a list or an object."""
    if value is None:
        return ""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def parameters_from_words(words: Sequence[str]) -> dict[str, str]:
    """The values of the words `name=value`, by name. A value begins after the first `=`."""
    parameters: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign or not name.strip():
            raise CommandError(f"--param {word[:64]}: expected NAME=VALUE")
        if name.strip() in parameters:
            raise CommandError(f"--param {name.strip()} is given twice")
        parameters[name.strip()] = value
    return parameters
