"""`dead-letter list`: what was refused, why, and when it was retried."""

from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say
from pipeline.records.plain import text_from_time

if TYPE_CHECKING:
    from pipeline.records import DeadLetter, DeadLetterRetry

MAX: Final = 50
OFFSETS_A_LETTER: Final = 4  # transaction markers and aborted records take offsets too


def fields_of(
    letter: "DeadLetter", *, octets: bool, retry: "DeadLetterRetry | None" = None
) -> dict[str, Any]:
    """The fields of a dead letter for the list; `octets`: also the fields that may be personal."""
    from pipeline.store.story.again import predecessor_of

    shown: dict[str, Any] = {
        "id": letter.dead_letter_id,
        "at": letter.at,
        "stage": letter.stage,
        "reason": letter.reason,
        "words": letter.words,
        "source": letter.source,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "retry_of": predecessor_of(letter) or None,
        "retried_at": retry.at if retry else None,
    }
    if octets:
        shown |= {
            "key": letter.key,
            "headers": {header.name: header.value for header in letter.headers},
            "octets": letter.octets,
        }
    return shown


def line_of_letter(shown: dict[str, Any]) -> str:
    """One dead letter as a line of words."""
    came_from = (
        f"{shown['topic']}/{shown['partition']}@{shown['offset']}"
        if shown["topic"]
        else "the request"
    )
    source = f" by {shown['source']}" if shown["source"] else ""
    line = (
        f"{shown['id']}  {text_from_time(shown['at'])}  {shown['stage']}  {shown['reason']}: "
        f"{shown['words']} ({came_from}{source})"
    )
    if shown["retry_of"]:
        line += f", a retry of {shown['retry_of']}"
    if shown["retried_at"]:
        line += f", retried {text_from_time(shown['retried_at'])}"
    refused = {**shown.get("headers", {}), "octets": shown.get("octets")}
    return "\n  ".join([line, *(f"{name}: {held.hex()}" for name, held in refused.items() if held)])


def list_letters(
    maximum: Annotated[int, typer.Option("--max", min=1, metavar="N", help="The newest N.")] = MAX,
    octets: Annotated[
        bool,
        typer.Option("--octets", help="Show the refused octets too, in hex. They may be personal."),
    ] = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """List what was refused, why, and when it was retried."""
    settings = settings_from(home=home)

    from pipeline.cli.ask.broker import open_consumer
    from pipeline.cli.dead_letter.reading import newest_letters, retries_by_letter
    from pipeline.home.stack import bootstrap_of

    with open_consumer(bootstrap_of(settings)) as consumer:
        letters = list(newest_letters(consumer, window=maximum * OFFSETS_A_LETTER))
        retries = retries_by_letter(consumer)
    letters.sort(key=attrgetter("at"))
    for each in letters[-maximum:]:
        shown = fields_of(each, octets=octets, retry=retries.get(each.dead_letter_id))
        if json:
            print_json_line(shown)
        else:
            say(line_of_letter(shown))
    if not letters and not json:
        say("nothing was refused")
