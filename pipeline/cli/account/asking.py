"""What the account commands ask the report: standings, entries of the ledger, and a month of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.cli.ask.report_client import report_of, rows
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.local import clock_of
from pipeline.records import AccountEntry
from pipeline.store.story.account import asking_accounts
from pipeline.store.story.asking import answered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from pipeline.settings import Settings
    from pipeline.store.story.account import AccountStanding

#: Entries that are read at once.
PAGE: Final = 20_000
_COLUMNS: Final = """\
SELECT entry_id, account, sequence, kind, units, balance, reference, number, parts,
    formatDateTime(charged_at, '%FT%T.%fZ', 'UTC') AS charged,
    formatDateTime(at, '%FT%T.%fZ', 'UTC') AS booked, actor, reason
FROM account_entry WHERE account = {account:String}"""
ENTRIES_ASKED: Final = f"""\
{_COLUMNS} AND sequence > {{after:Int64}} AND at >= toDateTime64({{since:String}}, 3, 'UTC')
    AND at < toDateTime64({{until:String}}, 3, 'UTC')
ORDER BY sequence LIMIT {PAGE}"""
REFERENCE_ASKED: Final = f"{_COLUMNS} AND reference = {{reference:String}} ORDER BY sequence"


def accounts_now(settings: Settings, account: str = "") -> list[AccountStanding]:
    """Every account, or the one; raises `CommandError` if there is none of that name."""
    report = report_of(settings)
    found = answered(
        asking_accounts(clock_of(settings).now(), account=account),
        lambda sql, given: rows(report, sql, parameters=given),
    )
    if account and not found:
        raise CommandError(
            f"there is no account {account!r}: numbers.toml lists none of that name, and nothing"
            " was booked for it"
        )
    return found


def entries_between(
    settings: Settings, account: str, since: datetime, until: datetime
) -> Iterator[AccountEntry]:
    """The entries that were booked from `since` on and before `until`, in order."""
    report = report_of(settings)
    given = {
        "account": account, "since": _words_of(since), "until": _words_of(until), "after": 0,
    }  # fmt: skip
    while True:
        found = rows(report, ENTRIES_ASKED, parameters=given)
        yield from map(_entry_from, found)
        if len(found) < PAGE:
            return
        given["after"] = found[-1]["sequence"]


def entries_of_reference(settings: Settings, account: str, reference: str) -> list[AccountEntry]:
    """The entries that an order or a charge led to, in order."""
    given = {"account": account, "reference": reference}
    found = rows(report_of(settings), REFERENCE_ASKED, parameters=given)
    return list(map(_entry_from, found))


def _entry_from(row: Mapping[str, Any]) -> AccountEntry:
    given = dict(row)
    given |= {"charged_at": given.pop("charged"), "at": given.pop("booked")}
    return msgspec.convert(given, AccountEntry)


def _words_of(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")
