"""`mt show`: the whole path of one MT."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings
    from pipeline.store.story.command import MtHistory

NO_SUCH_MT: Final = "nothing is known of it: `twoway status` says how far the store is behind"


def show_mt(
    name: Annotated[
        str,
        typer.Argument(
            metavar="COMMAND_OR_REQUEST_ID",
            help="As `mt` prints it, or as mt_command has it.",
        ),
    ],
    json: Json = False,
    home: Home = None,
) -> None:
    """Say what became of one MT, step by step.

    Asked for, let pass, permitted, sent, and what the gateway said. It is as ClickHouse has it, a
    few seconds behind.
    """
    show_id(settings_from(home=home), name.strip(), json=json)


def show_id(settings: "Settings", name: str, *, json: bool = False) -> None:
    """Print the path, in words or as one value; raises `CommandError` where nothing is known."""
    if json:
        print_json_line(_history_of_id(settings, name))
        return
    for line in lines_of_id(settings, name):
        say(line)


def lines_of_id(settings: "Settings", name: str) -> "Iterator[str]":
    """The path in words; raises `CommandError` where nothing is known."""
    from pipeline.store.story.command_words import lines_of_mt

    return lines_of_mt(_history_of_id(settings, name))


def _history_of_id(settings: "Settings", name: str) -> "MtHistory":
    from pipeline.cli.ask.report_client import report_of
    from pipeline.cli.mt.history import history_of

    history = history_of(report_of(settings), name)
    if not name or history.is_empty:
        raise CommandError(NO_SUCH_MT)
    return history
