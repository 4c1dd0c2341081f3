"""`account statement`: what was booked in a month, and that it adds up."""

from __future__ import annotations

import csv
import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from pipeline.cli.account.credit import AccountName  # noqa: TC001 - typer reads the annotation
from pipeline.cli.records.answer_forms import Form
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say
from pipeline.cli.terminal.table import lines_of_table
from pipeline.credits import amount_from_units, rounded_from_units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.records import AccountEntry
    from pipeline.settings import Settings
    from pipeline.store.story.account_month import MonthStatement

StatementRow = dict[str, Any]
#: Amounts as units are exact; `credits` is rounded to six decimals, for spreadsheets.
AMOUNTS: Final = ("units", "credits", "balance_units", "balance_credits")
OF_DAYS: Final = ("day", "kind", "entries", "parts", *AMOUNTS)
OF_ENTRIES: Final = (
    "at", "sequence", "kind", "number", "parts", *AMOUNTS, "reference", "actor", "reason",
)  # fmt: skip
_LINES_AT_ONCE: Final = 1_000


def statement(
    account: AccountName,
    month: Annotated[str, typer.Argument(metavar="MONTH", help="Such as 2026-03, in UTC.")],
    entries: Annotated[
        bool, typer.Option("--entries", help="Every entry instead of a line for day and kind.")
    ] = False,
    form: Annotated[
        Form, typer.Option("--format", metavar="FORM", help="table, csv or json (lines).")
    ] = Form.TABLE,
    home: Home = None,
) -> None:
    """Print a month of an account.

    It begins with the balance before the month and ends with the balance after it, and says on
    stderr whether the one and all entries make the other, to the last third. If they do not, the
    exit code is 1. CSV has exact units of 1/3,000,000 credit beside rounded credits.
    """
    from pipeline.store.story.account_month import BadMonth, times_of_month

    try:
        times_of_month(month)
    except BadMonth as error:
        raise typer.BadParameter(f"MONTH: {error}") from error
    settings = settings_from(home=home)
    found = _month_of(settings, account.strip(), month.strip())
    if entries:
        faults = _print_entries(settings, found, form)
    else:
        _print_rows(rows_of_days(found), OF_DAYS, form)
        faults = found.faults
    if faults:
        raise CommandError(f"{found.account}, {found.month}: {'; '.join(faults)}")
    say(f"{found.account}, {found.month}: {found.words}", err=True)


def _month_of(settings: Settings, account: str, month: str) -> MonthStatement:
    from pipeline.cli.account.asking import accounts_now
    from pipeline.cli.ask.report_client import report_of, rows
    from pipeline.store.story.account_month import asking_month
    from pipeline.store.story.asking import answered

    accounts_now(settings, account)  # there is one of that name
    report = report_of(settings)
    return answered(
        asking_month(account, month), lambda sql, given: rows(report, sql, parameters=given)
    )


def _print_entries(settings: Settings, found: MonthStatement, form: Form) -> list[str]:
    """Print every entry as it is read; returns what is wrong."""
    from pipeline.cli.account.asking import entries_between
    from pipeline.store.story.account_month import Adding, times_of_month

    since, until = times_of_month(found.month)
    adding = Adding(found.opening)
    read = adding.follow(entries_between(settings, found.account, since, until))

    def rows() -> Iterator[StatementRow]:
        yield _edge("at", "opening", found.opening)
        yield from map(row_of_entry, read)
        yield _edge("at", "closing", adding.balance)

    _print_rows(rows(), OF_ENTRIES, form)
    faults = [*found.faults, *adding.faults]
    if adding.balance != found.closing or adding.entries != found.entries:
        faults.append("entries were booked meanwhile: ask again")
    return faults


def rows_of_days(found: MonthStatement) -> Iterator[StatementRow]:
    """Opening, a row for each day and kind, closing."""
    yield _edge("day", "opening", found.opening)
    balance = found.opening
    for day in found.days:
        balance += day.units
        yield {
            "day": day.day.isoformat(),
            "kind": day.kind,
            "entries": day.entries,
            "parts": day.parts,
        } | _amounts(day.units, balance)
    yield _edge("day", "closing", found.closing)


def row_of_entry(entry: AccountEntry) -> StatementRow:
    """An entry as a row."""
    return {
        "at": f"{entry.at:%Y-%m-%d %H:%M:%S}",
        "sequence": entry.sequence,
        "kind": entry.kind,
        "number": entry.number,
        "parts": entry.parts,
        **_amounts(entry.units, entry.balance),
        "reference": entry.reference,
        "actor": entry.actor,
        "reason": entry.reason,
    }


def _edge(time: str, kind: str, balance: int) -> StatementRow:
    """The first or the last row: a balance, and nothing booked."""
    return {time: "", "kind": kind} | _amounts(0, balance)


def _amounts(units: int, balance: int) -> StatementRow:
    return {
        "units": units,
        "credits": amount_from_units(units),
        "balance_units": balance,
        "balance_credits": amount_from_units(balance),
    }


def _print_rows(rows: Iterator[StatementRow], columns: tuple[str, ...], form: Form) -> None:
    match form:
        case Form.JSON:
            for row in rows:
                print_json_line(row)
        case Form.CSV:
            _print_csv(rows, columns)
        case Form.TABLE:
            shown = [name for name in columns if not name.endswith("units")]
            cells = [[_cell(row, name) for name in shown] for row in rows]
            for line in lines_of_table([name.replace("_", " ") for name in shown], cells):
                say(line)


def _cell(row: StatementRow, name: str) -> str:
    is_edge = row["kind"] in ("opening", "closing")
    return "" if is_edge and name == "credits" else " ".join(str(row.get(name, "")).split())


def _print_csv(rows: Iterator[StatementRow], columns: tuple[str, ...]) -> None:
    """As RFC 4180 has it. A spreadsheet would take 1/3 for a day: credits are decimals here."""
    from pipeline.store.report.export.csv_form import cell_from_value

    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(columns)
    for row in rows:
        decimals = {
            "credits": rounded_from_units(row["units"]),
            "balance_credits": rounded_from_units(row["balance_units"]),
        }
        cells = row | decimals
        writer.writerow(
            [
                cells[name] if name in decimals else cell_from_value(cells.get(name, ""))
                for name in columns
            ]
        )
