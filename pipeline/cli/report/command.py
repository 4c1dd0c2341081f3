"""`report`: downloads a list or a saved report, as the page would."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer

from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say

if TYPE_CHECKING:
    from pipeline.settings import Settings
    from pipeline.store.report.saved import SavedReport

STEP_OCTETS = 4 << 20  # between two words on the progress


def report(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="A list (lines, opt-outs, stopped, dead-letters, …) or a report that was saved.",
        ),
    ],
    since: Annotated[
        str, typer.Option(metavar="TIME", help="From this day or minute on, in UTC.")
    ] = "",
    until: Annotated[
        str, typer.Option(metavar="TIME", help="To this day (included) or minute.")
    ] = "",
    format: Annotated[
        str,
        typer.Option(
            metavar="FORM", help="csv, xlsx or parquet. Default: the saved report's, else csv."
        ),
    ] = "",
    filters: Annotated[
        list[str] | None,
        typer.Option(
            "--filter", metavar="NAME=VALUE", help="As in the page's address; repeatable."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to. Default: standard output."),
    ] = None,
    home: Home = None,
) -> None:
    """Download a whole list as CSV, XLSX or Parquet.

    It has all rows, however many. FILE is there once it is whole. A download that breaks off ends
    with an error, and without FILE.
    """
    settings = settings_from(home=home)
    times = {"from": since.strip(), "to": until.strip()}
    wanted = _wanted(settings, name.strip(), filters or [])
    address = wanted.download_path(form=_format_of(format), **times)
    if output is None:
        _pour(settings, address, typer.get_binary_stream("stdout"))
        return
    draft = output.with_name(f"{output.name}.part")
    try:
        with draft.open("wb") as file:
            octets = _pour(settings, address, file)
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    say(f"{output}: {octets:,} octets", err=True)


def _wanted(settings: "Settings", name: str, words: list[str]) -> "SavedReport":
    """The report of that name, with the filters of the command line in place of its own."""
    from msgspec.structs import replace

    from pipeline.store.report.lists.account_listings import EVERY_LISTING
    from pipeline.store.report.saved import SavedReport, SavedReportsError, saved_reports
    from pipeline.store.report.saved_book import reports_of_pages

    try:
        saved = reports_of_pages(settings.home) | saved_reports(settings.home)
    except SavedReportsError as error:
        raise CommandError(str(error)) from error
    found = saved.get(name)
    if found is None and name in EVERY_LISTING:
        found = SavedReport(name=name, list=name)
    if found is None:
        raise CommandError(
            f"there is no list and no saved report {name!r}; there are"
            f" {', '.join([*EVERY_LISTING, *saved])}"
        )
    given = dict(found.filters)
    for each in words:
        key, sign, value = each.partition("=")
        if not sign:
            raise CommandError(f"--filter {each[:64]}: expected NAME=VALUE")
        given[key.strip()] = value.strip()
    return replace(found, filters=given)


def _format_of(given: str) -> str:
    from pipeline.store.report.export.formats import FORMATS

    if given and given not in FORMATS:
        raise CommandError(f"--format is none of {', '.join(FORMATS)}")
    return given


def _pour(settings: "Settings", address: str, target: BinaryIO) -> int:
    """Copy the answer; returns its octets. Raises `CommandError` where it breaks off."""
    import sys

    from pipeline.cli.ask.report_client import pieces_of, report_of

    octets, told = 0, 0
    for piece in pieces_of(f"{report_of(settings)}/{address}"):
        target.write(piece)
        octets += len(piece)
        if sys.stderr.isatty() and octets - told >= STEP_OCTETS:
            told = octets
            typer.echo(f"\r{octets >> 20} MB", err=True, nl=False)
    if told:
        typer.echo("\r", err=True, nl=False)
    return octets
