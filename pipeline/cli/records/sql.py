"""`sql`: a read-only query to ClickHouse, through the report."""

import sys
from typing import Annotated, Final

import typer

from pipeline.cli.records.answer_forms import (
    Form,
    FormOption,
    ParamOption,
    parameters_from_words,
    print_answer,
)
from pipeline.cli.terminal.options import Home, settings_from

STDIN: Final = "-"


def sql(
    query: Annotated[
        str,
        typer.Argument(
            metavar="QUERY",
            help="One SELECT over the views of database twoway. Default, and -: standard input.",
            show_default=False,
        ),
    ] = STDIN,
    param: ParamOption = None,
    form: FormOption = Form.JSON,
    home: Home = None,
) -> None:
    """Query ClickHouse: lines of JSON, a table or CSV.

    Any HTTP client gets the same lines of JSON from POST {report}/sql.
    """
    parameters = parameters_from_words(param or [])
    settings = settings_from(home=home)
    if query == STDIN:
        query = sys.stdin.read()
    from pipeline.cli.ask.report_client import answer_lines, report_of

    print_answer(answer_lines(report_of(settings), query, parameters=parameters), form)
