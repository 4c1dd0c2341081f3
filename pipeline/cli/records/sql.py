"""`sql`: a read-only question to ClickHouse, through the report."""

from typing import Annotated

import typer

from pipeline.cli.terminal.options import Home, settings_from


def sql(
    query: Annotated[
        str, typer.Argument(metavar="QUERY", help="One SELECT over the views of database twoway.")
    ],
    home: Home = None,
) -> None:
    """Ask ClickHouse and print a line of JSON a row.

    POST {report}/sql with the query as the body answers any HTTP client the same.
    """
    settings = settings_from(home=home)
    from pipeline.cli.ask.report_client import answer_lines, report_of

    for line in answer_lines(report_of(settings), query):
        typer.echo(line)
