"""`account reconcile`: the gateway's own statement against our ledger."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path  # noqa: TC003 - as above
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli.account.comparing import Mismatch, compare
from pipeline.cli.account.credit import AccountName  # noqa: TC001 - as above
from pipeline.cli.account.gateway_csv import gateway_lines
from pipeline.cli.consent.stops_csv import WrongLine, WrongTable
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say
from pipeline.credits import amount_from_units

if TYPE_CHECKING:
    from collections.abc import Iterable
    from fractions import Fraction

    from pipeline.cli.account.comparing import Comparison, Discrepancy
    from pipeline.cli.account.gateway_csv import GatewayLine
    from pipeline.settings import Settings

SHOWN: Final = 20
#: A message may be charged so long before or after the gateway's own time of it: 254 minutes of
#: retries, and a day for its parts.
APART: Final = timedelta(days=2)
_TITLES: Final = {
    Mismatch.DIFFERS: "charged differently",
    Mismatch.THEIRS: "charged by the gateway, and not in our ledger",
    Mismatch.OURS: "in our ledger, and not in the gateway's statement",
}


def reconcile(
    account: AccountName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The gateway's statement, as CSV.")],
    month: Annotated[
        str,
        typer.Option(
            "--month", metavar="MONTH", help="Which month it is of. Default: the times in FILE."
        ),
    ] = "",
    json: Json = False,
    home: Home = None,
) -> None:
    """Compare the gateway's statement with the ledger.

    Shows what both charged differently, what the gateway charged and we did not see, and what we
    charged and it did not. The first line of FILE names its columns: a charge, an id or a time, and
    what else is there (docs/accounts.md). The exit code is 1 if anything differs, or if a line
    cannot be read.
    """
    lines, wrong = _read(file)
    since, until = _times(lines, month)
    settings = settings_from(home=home)

    from pipeline.cli.account.asking import accounts_now
    from pipeline.cli.account.our_charges import our_charges

    accounts_now(settings, account.strip())  # there is one of that name
    charges = our_charges(settings, account.strip(), since - APART, until + APART)
    found = compare(lines, charges, since=since, until=until)
    differences = _explained(settings, found.differences)
    if json:
        _print_json(found, differences, wrong)
    else:
        _print_words(found, differences, lines)
    if differences or wrong:
        raise CommandError(f"{len(differences)} differences, {len(wrong)} lines not read")


def _read(file: Path) -> tuple[list[GatewayLine], list[WrongLine]]:
    """The lines of the file; the wrong ones are said on stderr. Raises `CommandError`."""
    lines: list[GatewayLine] = []
    wrong: list[WrongLine] = []
    try:
        for line in gateway_lines(file):
            if isinstance(line, WrongLine):
                wrong.append(line)
            else:
                lines.append(line)
    except WrongTable as error:
        raise CommandError(f"{file}: {error}") from error
    for each in wrong[:SHOWN]:
        say(f"{file}, line {each.line}: {each.words}", err=True)
    if len(wrong) > SHOWN:
        say(f"and {len(wrong) - SHOWN} more lines that cannot be read", err=True)
    return lines, wrong


def _times(lines: Iterable[GatewayLine], month: str) -> tuple[datetime, datetime]:
    """The month, or from the first time in the file to the last; raises `CommandError`."""
    from pipeline.store.story.account_month import BadMonth, times_of_month

    if month.strip():
        try:
            return times_of_month(month)
        except BadMonth as error:
            raise typer.BadParameter(f"--month: {error}") from error
    times = [line.at for line in lines if line.at is not None]
    if not times:
        raise CommandError("no line of the file has a time: say with --month which month it is of")
    return min(times), max(times)


def _explained(settings: Settings, differences: Iterable[Discrepancy]) -> list[Discrepancy]:
    """The differences; of what only the gateway charged, whether it came to us at all."""
    from pipeline.cli.account.our_charges import received_among

    found = list(differences)
    theirs = [each.id for each in found if each.side is Mismatch.THEIRS]
    received = received_among(settings, theirs) if theirs else set()

    def words_of(each: Discrepancy) -> str:
        if each.kind == "mt":
            return "we sent nothing of this id"
        if each.id.lower() in received:
            return "it came to us, and was not booked: the account was off then, or it waits"
        return "it did not come to us"

    return [
        each._replace(words=words_of(each)) if each.side is Mismatch.THEIRS else each
        for each in found
    ]


def _print_words(
    found: Comparison, differences: list[Discrepancy], lines: list[GatewayLine]
) -> None:
    say(f"{len(lines)} lines read, {found.agreed} messages agree")
    say(f"the gateway's: {_amount(found.theirs)} credits, ours: {amount_from_units(found.ours)}")
    for side, title in _TITLES.items():
        some = [each for each in differences if each.side is side]
        if not some:
            continue
        say(f"{title}: {len(some)}")
        for each in some[:SHOWN]:
            say(f"  {_line_of(each)}")
        if len(some) > SHOWN:
            say(f"  and {len(some) - SHOWN} more: --json has all")


def _line_of(each: Discrepancy) -> str:
    line = f"line {each.line}" if each.line else ""
    at = f"{each.at:%Y-%m-%d %H:%M:%S}" if each.at else ""
    theirs = f"theirs {_amount(each.theirs)}" if each.theirs is not None else ""
    ours = f"ours {amount_from_units(each.ours)}" if each.ours is not None else ""
    known = (line, at, each.kind, each.number, each.id, theirs, ours, each.words)
    return "  ".join(filter(None, known))


def _print_json(
    found: Comparison, differences: Iterable[Discrepancy], wrong: Iterable[WrongLine]
) -> None:
    for each in differences:
        row: dict[str, Any] = each._asdict() | {
            "ours": None if each.ours is None else amount_from_units(each.ours),
            "theirs": None if each.theirs is None else _amount(each.theirs),
        }
        print_json_line(row)
    for line in wrong:
        print_json_line({"side": "unreadable", "line": line.line, "words": line.words})
    sums = {"theirs": _amount(found.theirs), "ours": amount_from_units(found.ours)}
    print_json_line({"side": "sum", "agreed": found.agreed} | sums)


def _amount(credits: Fraction) -> str:
    """A sum of what the gateway wrote: exact, in decimals where these are exact."""
    whole, rest = divmod(credits.numerator, credits.denominator)
    places = next((n for n in range(10) if 10**n % credits.denominator == 0), None)
    if places is None:
        return f"{whole} {rest}/{credits.denominator}" if whole else f"{credits}"
    digits = rest * 10**places // credits.denominator
    return f"{whole}.{digits:0{places}d}" if places else str(whole)
