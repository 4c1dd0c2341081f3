"""`stops import`: stops from a CSV, streamed, each line with an id that only it has."""

import hashlib
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.commands.consent_csv import WrongLine, WrongTable, stops_in
from pipeline.commands.consent_orders import By, actor_from, outgoing_from
from pipeline.commands.failure import CommandError
from pipeline.commands.options import Home, settings_from

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from pipeline.records import ConsentRequest

SAID_EVERY_LINES: Final = 50_000
IN_FLIGHT: Final = 5_000
SHOWN: Final = 20


def import_stops(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV with the columns handset[,number][,reason].")
    ],
    reason: Annotated[
        str, typer.Option("--reason", help="Why, for lines that give no reason of their own.")
    ] = "",
    wrong: Annotated[
        Path | None,
        typer.Option(
            metavar="REPORT",
            help="Write what was wrong in which line there; else the first are shown.",
        ),
    ] = None,
    by: By = None,
    home: Home = None,
) -> None:
    """Stop every handset of a CSV whose first line names its columns: handset, number, reason.

    Without a number it is the account. Right lines are taken, wrong ones reported, and the exit
    code is then 1. The same file again changes nothing: each line's order has its own id.
    """
    actor = actor_from(by)
    settings = settings_from(home=home)

    from pipeline.commands.local import clock_of
    from pipeline.records import ConsentAction, ConsentRequest
    from pipeline.stack import bootstrap_of

    bootstrap = bootstrap_of(settings)
    name = f"import-{_digest_of(file)}"
    now = clock_of(settings).now()
    wrong_lines: list[WrongLine] = []

    def orders() -> "Iterable[ConsentRequest]":
        for line, stop in stops_in(file, reason=reason.strip()):
            if line % SAID_EVERY_LINES == 0:
                typer.echo(f"{line} lines, {len(wrong_lines)} of them wrong", err=True)
            if isinstance(stop, WrongLine):
                wrong_lines.append(stop)
                continue
            yield ConsentRequest(
                request_id=f"{name}-{line}",
                action=ConsentAction.STOP,
                handset=stop.handset,
                number=stop.number,
                actor=actor,
                reason=stop.reason,
                requested_at=now,
            )

    try:
        published = _publish(bootstrap, orders())
    except WrongTable as error:
        raise CommandError(f"{file}: {error}") from error
    typer.echo(f"{published} stops are ordered")
    _report(wrong_lines, wrong, say=lambda words: typer.echo(words, err=True))
    if wrong_lines:
        raise CommandError(f"{file}: {len(wrong_lines)} lines were wrong and are not imported")


def _digest_of(file: Path) -> str:
    """32 hex digits of the file's octets."""
    try:
        with file.open("rb") as octets:
            return hashlib.file_digest(octets, "sha256").hexdigest()[:32]
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error


def _publish(bootstrap: str, orders: "Iterable[ConsentRequest]") -> int:
    """Publish while they come, never more than a few thousand unacknowledged; how many."""
    from pipeline.avro import encode
    from pipeline.commands.broker import ACKNOWLEDGE_SECONDS, open_producer

    count = 0
    waiting: deque[Any] = deque()
    with open_producer(bootstrap) as producer:
        for order in orders:
            one = outgoing_from(order)
            waiting.append(producer.send(one.topic, key=one.key, value=encode(one.record)))
            count += 1
            if len(waiting) >= IN_FLIGHT:
                waiting.popleft().get(timeout=ACKNOWLEDGE_SECONDS)
        while waiting:
            waiting.popleft().get(timeout=ACKNOWLEDGE_SECONDS)
    return count


def _report(wrong: list[WrongLine], file: Path | None, *, say: "Callable[[str], None]") -> None:
    lines = [f"line {each.line}: {each.words}" for each in wrong]
    if file is not None:
        try:
            file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        return
    for line in lines[:SHOWN]:
        say(line)
    if len(lines) > SHOWN:
        say(f"and {len(lines) - SHOWN} more: --wrong REPORT writes them all")
