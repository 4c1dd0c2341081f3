"""`stops import`: publishes a stop for each line of a CSV. Each line's order has its own id."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Self, TextIO

import typer

from pipeline.cli.consent.orders import NOT_LISTED, directory_in_force, outgoing_from
from pipeline.cli.consent.stops_csv import WrongLine, WrongTable, stops_in
from pipeline.cli.terminal.arguments import By, actor_from
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.records import ConsentRequest

SAID_EVERY_LINES: Final = 50_000
SHOWN: Final = 20


def import_stops(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV with the columns handset[,number][,reason].")
    ],
    reason: Annotated[
        str, typer.Option("--reason", metavar="WORDS", help="Reason for the lines that give none.")
    ] = "",
    wrong: Annotated[
        Path | None,
        typer.Option(
            metavar="REPORT",
            help="File for the list of all wrong lines. Default: show the first wrong lines.",
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also take numbers that the directory does not list.")
    ] = False,
    by: By = None,
    home: Home = None,
) -> None:
    """Stop every handset of a CSV. Its first line names the columns: handset, number, reason.

    A line without a number stops the whole account. Correct lines are taken. Wrong lines are
    reported, and then the exit code is 1. If an import breaks off, run it again: each line's order
    has its own id, so the same file changes nothing the second time.
    """
    actor = actor_from(by)
    settings = settings_from(home=home)

    from pipeline.cli.ask.broker_stream import publish_stream
    from pipeline.cli.terminal.local import clock_of
    from pipeline.home.stack import bootstrap_of
    from pipeline.records import ConsentAction, ConsentRequest

    bootstrap = bootstrap_of(settings)
    name = f"import-{_digest_of(file)}"
    now = clock_of(settings).now()
    directory = directory_in_force(bootstrap, settings)

    def orders(report: WrongLines) -> "Iterator[ConsentRequest]":
        for line, stop in stops_in(file, reason=reason.strip()):
            if line % SAID_EVERY_LINES == 0:
                say(f"{line} lines, {report.count} of them wrong", err=True)
            if isinstance(stop, WrongLine):
                report.note(stop)
                continue
            if stop.number and not force and directory.find(stop.number) is None:
                report.note(WrongLine(line, f"the number {stop.number} {NOT_LISTED} (--force)"))
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

    with WrongLines(wrong) as report:
        try:
            published = publish_stream(bootstrap, map(outgoing_from, orders(report)))
        except WrongTable as error:
            raise CommandError(f"{file}: {error}") from error
    say(f"{published} stops are ordered")
    if report.count:
        raise CommandError(f"{file}: {report.count} lines were wrong and are not imported")


class WrongLines:
    """The wrong lines: written to a file as they are found, else the first are shown."""

    def __init__(self, file: Path | None) -> None:
        self.count = 0
        self._file = file
        self._opened: TextIO | None = None

    def __enter__(self) -> Self:
        if self._file is not None:
            try:
                self._opened = self._file.open("w", encoding="utf-8")
            except OSError as error:
                raise CommandError(f"{self._file}: {error.strerror}") from error
        return self

    def note(self, wrong: WrongLine) -> None:
        """Note one more."""
        self.count += 1
        words = f"line {wrong.line}: {wrong.words}"
        if self._opened is not None:
            self._opened.write(f"{words}\n")
        elif self.count <= SHOWN:
            say(words, err=True)

    def __exit__(self, *_: object) -> None:
        if self._opened is not None:
            self._opened.close()
        elif self.count > SHOWN:
            more = self.count - SHOWN
            say(f"and {more} more: --wrong REPORT writes them all", err=True)


def _digest_of(file: Path) -> str:
    """32 hex digits of the file's octets."""
    try:
        with file.open("rb") as octets:
            return hashlib.file_digest(octets, "sha256").hexdigest()[:32]
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error
