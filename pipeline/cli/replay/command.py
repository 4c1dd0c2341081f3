"""`replay`: shows how the recorded messages would have changed consent under other stop rules."""

from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say
from pipeline.records.plain import text_from_time

if TYPE_CHECKING:
    from pipeline.cli.replay.states import Difference

SAID_EVERY: Final = 10_000


def since_from_text(text: str) -> datetime:
    """The start of a day in UTC, or a time with a UTC offset; raises `typer.BadParameter`."""
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        from pipeline.cli.mt.request import time_from_text

        return time_from_text(text)


def replay(
    rule: Annotated[
        Path,
        typer.Option("--rule", metavar="FILE", help="A whole numbers.toml with the changed rules."),
    ],
    since: Annotated[
        str,
        typer.Option(
            metavar="DATE", help="The changed rules apply from here on: 2026-03-01, or a time."
        ),
    ],
    json: Json = False,
    home: Home = None,
) -> None:
    """Show whose consent would differ under other rules. This changes nothing.

    The rules are those of a numbers.toml: extra_stop_words, strict, keywords, premium, custom
    replies. Every recorded message and order is processed again in memory, once under the rules in
    force and once under the changed rules. Then the states at the end are compared. Confirmations
    that an application sent are not replayed. The gateway's own confirmations take their place.
    """
    start = since_from_text(since)
    settings = settings_from(home=home)

    from pipeline.cli.ask.report_client import report_of
    from pipeline.cli.operate.numbers import numbers_from_file
    from pipeline.cli.replay.reading import recorded_by_handset
    from pipeline.cli.replay.states import Replay
    from pipeline.cli.terminal.local import clock_of
    from pipeline.cli.why.directory import directory_from_report
    from pipeline.directory.directory import Directory
    from pipeline.stages.consent.decide import ConsentRules

    now = clock_of(settings).now()
    if start > now:
        raise CommandError(f"--since {text_from_time(start)} is in the future")
    numbers = numbers_from_file(rule, account=settings.account, loaded_at=now)
    report = report_of(settings)
    play = Replay(
        in_force=directory_from_report(report, settings),
        other=Directory(numbers, default_account=settings.account),
        since=start,
        now=now,
        rules=ConsentRules.from_settings(settings),
    )
    handsets = messages = differing = 0
    for handset, records in recorded_by_handset(report):
        handsets += 1
        messages += len(records)
        for difference in play.differences(handset, records):
            differing += 1
            if json:
                print_json_line(difference)
            else:
                say(line_of_difference(difference))
        if handsets % SAID_EVERY == 0:
            say(f"{handsets} handsets, {differing} states differ so far", err=True)
    if not json:
        say(
            f"{differing} states would differ: {handsets} handsets with {messages} messages and"
            " orders were read, and nothing was changed"
        )


def line_of_difference(difference: "Difference") -> str:
    """One difference in words."""
    before, after = difference.before, difference.after
    rule, message_id = after.rule or before.rule, after.message_id or before.message_id
    cause = f" ({rule}, message {message_id})" if message_id else f" ({rule})"
    return (
        f"{difference.handset}  {difference.scope_kind} {difference.scope}:"
        f" ours {before.ours} -> {after.ours},"
        f" the gateway's {before.gateway} -> {after.gateway}{cause}"
    )
