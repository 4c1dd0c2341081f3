"""`why`: a handset's consent, since when, because of what, and what would change it."""

import re
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.terminal.arguments import handset_from, number_from
from pipeline.cli.terminal.options import Home, settings_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.directory.directory import Directory
    from pipeline.store.story.consent import Change

COMMAND_ID: Final = re.compile("[0-9a-f]{32}")  # longer than any handset


def why(
    handset: Annotated[
        str,
        typer.Argument(metavar="HANDSET", help="Whose consent; or a COMMAND_ID, as `mt show`."),
    ],
    number: Annotated[
        str | None,
        typer.Argument(metavar="[NUMBER]", help="A number of ours. Default: every scope."),
    ] = None,
    home: Home = None,
) -> None:
    """Say whether an MT to a handset passes, since when, and because of which message and rule.

    It shows our state and the gateway's state, what is due, and what would change the state. The
    answer comes from ClickHouse, which is a few seconds behind; `twoway status` says how far.
    """
    if COMMAND_ID.fullmatch(handset.strip()):
        from pipeline.cli.mt.show import lines_of_id

        for line in lines_of_id(settings_from(home=home), handset.strip()):
            typer.echo(line)
        return
    address = handset_from(handset)
    at = number_from(number) if number else ""
    settings = settings_from(home=home)

    from pipeline.cli.ask.report_client import report_of, rows
    from pipeline.cli.why.directory import directory_from_report
    from pipeline.cli.why.forgotten import lines_of_forgotten
    from pipeline.store.story.asking import answered
    from pipeline.store.story.consent import asking_changes

    report = report_of(settings)
    directory = directory_from_report(report, settings)
    changes = answered(
        asking_changes(address), lambda sql, given: rows(report, sql, parameters=given)
    )
    forgotten = list(lines_of_forgotten(report, settings, address))
    for line in forgotten:
        typer.echo(line)
    if forgotten and not changes:
        return
    for line in lines_of_handset(address, at, changes, directory):
        typer.echo(line)


def lines_of_handset(
    handset: str, number: str, changes: "list[Change]", directory: "Directory"
) -> "Iterator[str]":
    """The answer in words. Without a number it names every scope that ever changed."""
    from pipeline.store.story.consent import deciding, scopes_now
    from pipeline.store.story.consent_words import lines_of_scope

    known = scopes_now(changes)
    if number:
        for key, now in deciding(directory, number, known).items():
            yield from lines_of_scope(handset, key, now, directory=directory)
        return
    for key, now in known.items():
        yield from lines_of_scope(handset, key, now, directory=directory)
    if not known:
        yield f"{handset} is open everywhere: nothing ever stopped it"
