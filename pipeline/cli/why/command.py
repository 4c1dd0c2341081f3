"""`why`: a handset's consent, since when, because of what, and what would change it."""

import re
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli.terminal.arguments import handset_from, number_from
from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say
from pipeline.cli.why.past import Past

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipeline.directory.directory import Directory
    from pipeline.stages.consent.scopes.scopes import Key
    from pipeline.store.story.asking import AnswerRows
    from pipeline.store.story.consent import Change, ScopeNow

COMMAND_ID: Final = re.compile("[0-9a-f]{32}")  # longer than any handset


def why(
    handset: Annotated[
        str,
        typer.Argument(metavar="HANDSET", help="Whose consent; or a COMMAND_ID, as `mt show`."),
    ],
    number: Annotated[
        str | None,
        typer.Argument(metavar="NUMBER", help="A number of ours. Default: every scope."),
    ] = None,
    at_time: Annotated[
        str | None,
        typer.Option(
            "--at",
            metavar="TIME",
            help="As it was at this time (ISO 8601 with offset). Default: now.",
            show_default=False,
        ),
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option(
            "--known-at",
            metavar="TIME",
            help="By what we had recorded by this time; with --at the same, what the gate used.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
    home: Home = None,
) -> None:
    """Say whether an MT to a handset passes, since when and why.

    It names the message and the rule. It shows our state and the gateway's state, what is due, and
    what would change the state. The answer comes from ClickHouse, which is a few seconds behind;
    `twoway status` says how far.
    """
    past = Past.from_words(at_time, known_at)
    if COMMAND_ID.fullmatch(handset.strip()):
        from pipeline.cli.mt.show import show_id

        show_id(settings_from(home=home), handset.strip(), json=json)
        return
    address = handset_from(handset)
    at = number_from(number) if number else ""
    settings = settings_from(home=home)

    from pipeline.cli.ask.report_client import report_of, rows
    from pipeline.cli.why.directory import directory_from_report
    from pipeline.cli.why.forgotten import lines_of_forgotten
    from pipeline.store.story.asking import answered
    from pipeline.store.story.consent import asking_changes, asking_whether_stored

    report = report_of(settings)
    directory = directory_from_report(report, settings)

    def ask(sql: str, given: dict[str, Any]) -> "AnswerRows":
        return rows(report, sql, parameters=given)

    changes = answered(asking_changes(address), ask)
    forgotten = list(lines_of_forgotten(report, settings, address))
    is_known = bool(changes) or (not forgotten and answered(asking_whether_stored(address), ask))
    if json:
        told = changes if past is None else past.changes_of(changes)
        print_json_of(told, at, directory, is_anything_known=is_known)
        return
    for line in forgotten:
        say(line)
    if forgotten and not changes:
        return
    if past:
        say(past.words)
        changes = past.changes_of(changes)
    for line in lines_of_handset(
        address, at, changes, directory, is_past=bool(past), is_anything_known=is_known
    ):
        say(line)


def print_json_of(
    changes: "list[Change]",
    number: str,
    directory: "Directory",
    *,
    is_anything_known: bool = True,
) -> None:
    """Print a line of JSON for each scope."""
    from pipeline.cli.why.as_json import plain_from_scope

    for key, now in scopes_shown(changes, number, directory).items():
        print_json_line(plain_from_scope(key, now, is_anything_known=is_anything_known))


def scopes_shown(
    changes: "list[Change]", number: str, directory: "Directory"
) -> "Mapping[Key, ScopeNow | None]":
    """The scopes that decide about a number; without a number every scope that ever changed."""
    from pipeline.store.story.consent import deciding, scopes_now

    known = scopes_now(changes)
    return deciding(directory, number, known) if number else known


def lines_of_handset(
    handset: str,
    number: str,
    changes: "list[Change]",
    directory: "Directory",
    *,
    is_past: bool = False,
    is_anything_known: bool = True,
) -> "Iterator[str]":
    """The answer in words. Without a number it names every scope that ever changed.

    Where nothing is stored of a handset, nothing is said of its consent: a gate without a row lets
    an MT pass, but that is no evidence that the handset agreed.
    """
    from pipeline.store.story.consent_words import lines_of_scope

    then = " by then" if is_past else ""
    if not is_anything_known:
        yield f"nothing is known of {handset}: no message and no change of consent is stored{then}"
        return
    shown = scopes_shown(changes, number, directory)
    for key, now in shown.items():
        yield from lines_of_scope(handset, key, now, directory=directory, is_past=is_past)
    if not shown:
        yield (
            f"no change of consent is stored of {handset}{then}: nothing that is known stopped it"
        )
