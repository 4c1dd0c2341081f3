"""An answer of the report in the form that the user wants: lines of JSON, a table or CSV."""

from __future__ import annotations

import csv
import io
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
    if not rows:
        return
    heads = list(rows[0])
    if form is Form.CSV:
        _print_csv(heads, rows)
        return
    shown = [[" ".join(str(_flat(row[name])).split()) for name in heads] for row in rows]
    for line in lines_of_table(heads, shown):
        say(line)


def _print_csv(heads: list[str], rows: list[dict[str, Any]]) -> None:
    """To a file as the rows are (RFC 4180); to a terminal without what would act on it."""
    from pipeline.store.report.export.csv_form import cell_from_value

    is_shown = sys.stdout.isatty()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n" if is_shown else "\r\n")
    writer.writerow(heads)
    writer.writerows([cell_from_value(_flat(row[name])) for name in heads] for row in rows)
    if is_shown:
        say(text.getvalue().removesuffix("\n"))
    else:
        sys.stdout.write(text.getvalue())


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
