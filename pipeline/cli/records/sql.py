"""`sql`: a read-only query to ClickHouse, through the report."""

from typing import Annotated

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say


def sql(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="One SELECT over the views of database twoway.")
    ],
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Value of {NAME:Type} in the query; repeatable."),
    ] = None,
    home: Home = None,
) -> None:
    """Query ClickHouse and print each row as a line of JSON.

    Any HTTP client gets the same answer from POST {report}/sql.
    """
    parameters = _parameters_from_words(param or [])
    settings = settings_from(home=home)
    from pipeline.cli.ask.report_client import answer_lines, report_of

    for line in answer_lines(report_of(settings), query, parameters=parameters):
        say(line)


def _parameters_from_words(words: list[str]) -> dict[str, str]:
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
