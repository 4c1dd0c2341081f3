"""`mt show`: the whole path of one MT."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.settings import Settings

NO_SUCH_MT: Final = "nothing is known of it: `twoway status` says how far the store is behind"


def show_mt(
    name: Annotated[
        str,
        typer.Argument(
            metavar="COMMAND_OR_REQUEST_ID",
            help="As `mt` prints it, or as mt_command has it.",
        ),
    ],
    home: Home = None,
) -> None:
    """Say what became of one MT: asked for, let pass, permitted, sent, and what the gateway said.

    It is as ClickHouse has it, a few seconds behind.
    """
    for line in lines_of_id(settings_from(home=home), name.strip()):
        typer.echo(line)


def lines_of_id(settings: "Settings", name: str) -> "Iterator[str]":
    """The path in words; raises `CommandError` where nothing is known."""
    from pipeline.cli.ask.report_client import report_of
    from pipeline.cli.mt.history import history_of
    from pipeline.store.story.command_words import lines_of_mt

    history = history_of(report_of(settings), name)
    if not name or history.is_empty:
        raise CommandError(NO_SUCH_MT)
    return lines_of_mt(history)
