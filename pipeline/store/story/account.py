"""How an account stands: its balance, what is held, how fast it is spent, and how long it lasts."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from pipeline.credits import amount_from_units
from pipeline.records import AccountTerms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.store.story.asking import Asking

#: The pace is that of the last days, or of the days since the first charge.
PACE_DAYS: Final = 7
_SECONDS_OF_DAY: Final = 86_400
_NOW: Final = """\
SELECT account, balance_units, entries, held, held_units,
    formatDateTime(booked_at, '%FT%T.%fZ', 'UTC') AS booked,
    formatDateTime(oldest_held_at, '%FT%T.%fZ', 'UTC') AS oldest
FROM account_now ORDER BY account"""
#: What was charged in the last days, held or booked. The days end with the newest charge, where
#: that is later than the time of the asker: a local stack's clock may be ahead. What was charged
#: since a time was booked since, too.
_PACE: Final = """\
WITH (SELECT max(charged_at) FROM account_entry_rows) AS last_booked,
    (SELECT max(at) FROM account_held) AS last_held,
    greatest(toDateTime64({now:String}, 3, 'UTC'), last_booked, last_held) AS until,
    until - toIntervalDay({days:UInt8}) AS since
SELECT account, sum(cost) AS spent_units,
    dateDiff('second', greatest(since, min(first)), until) AS seconds
FROM
(
    SELECT account, -sum(units) AS cost, until AS first FROM account_entry_rows FINAL
    WHERE at >= since AND charged_at >= since AND kind NOT IN ('credit', 'correction')
    GROUP BY account
    UNION ALL
    SELECT account, 0, min(charged_at) FROM account_entry_rows
    WHERE kind NOT IN ('credit', 'correction') GROUP BY account
    UNION ALL
    SELECT account, sumIf(units, at >= since), min(at) FROM account_held GROUP BY account
)
GROUP BY account"""
_COUNTS: Final = ("balance_units", "entries", "held", "held_units")
_LISTED: Final = "SELECT accounts FROM numbers ORDER BY loaded_at DESC, kafka_offset DESC LIMIT 1"
_CROSSED: Final = """\
SELECT account, formatDateTime(max(at), '%FT%T.%fZ', 'UTC') AS crossed
FROM account_notice_rows GROUP BY account"""


class AccountStanding(msgspec.Struct, frozen=True, kw_only=True):
    """An account now. Amounts are units of 1/3,000,000 credit."""

    account: str
    mode: str = ""  # empty: `numbers.toml` does not list the account
    balance_units: int = 0
    entries: int = 0
    booked_at: datetime | None = None
    held: int = 0
    held_units: int = 0
    oldest_held_at: datetime | None = None
    notify_below_units: int | None = None
    pace_units: int = 0  # spent a day, held messages included
    notice_at: datetime | None = None  # of the last notice

    @property
    def is_low(self) -> bool:
        """Whether the balance is below the bound of which somebody wants to be told."""
        return self.notify_below_units is not None and self.balance_units < self.notify_below_units

    @property
    def days_left(self) -> float | None:
        """For how many days the balance lasts at this pace; None where nothing is spent."""
        if self.pace_units <= 0:
            return None
        return max(0, self.balance_units - self.held_units) / self.pace_units

    @property
    def forecast(self) -> str:
        """The same in words."""
        needed = self.held_units - self.balance_units
        if self.held and needed > 0:
            return f"used up: {amount_from_units(needed)} more credits pay what is held"
        if (days := self.days_left) is None:
            return "nothing is spent at present"
        if days < 1:
            return "lasts less than a day at this pace"
        return f"lasts about {days:,.0f} days at this pace"


def asking_accounts(now: datetime, *, account: str = "") -> Asking[list[AccountStanding]]:
    """Every account that has an entry or a held message, or is listed; or the one."""
    rows = {str(row["account"]): dict(row) for row in (yield _NOW, {})}
    asked = {"now": now.strftime("%Y-%m-%d %H:%M:%S"), "days": PACE_DAYS}
    paces = {str(row["account"]): _per_day(dict(row)) for row in (yield _PACE, asked)}
    notices = {str(row["account"]): str(row["crossed"]) for row in (yield _CROSSED, {})}
    found = yield _LISTED, {}
    listed = msgspec.convert(found[0]["accounts"] if found else [], list[AccountTerms])
    by_name = {each.name: each for each in listed}
    names = sorted(rows.keys() | by_name.keys())
    return [
        _standing(name, rows.get(name, {}), by_name.get(name), paces.get(name, 0), notices)
        for name in names
        if not account or name == account
    ]


def _standing(
    name: str, row: dict[str, Any], listed: AccountTerms | None, pace: int, notices: dict[str, str]
) -> AccountStanding:
    times = {"booked_at": row.get("booked"), "oldest_held_at": row.get("oldest")}
    times["notice_at"] = notices.get(name)
    given = {key: value for key, value in row.items() if key in _COUNTS}
    given |= {key: value for key, value in times.items() if value}
    given |= {"account": name, "pace_units": pace}
    if listed is not None:
        given |= {"mode": listed.mode, "notify_below_units": listed.notify_below_units}
    return msgspec.convert(given, AccountStanding)


def _per_day(row: dict[str, Any]) -> int:
    """Units a day. Of an account that is younger than a day, what it spent so far."""
    seconds = max(_SECONDS_OF_DAY, int(row["seconds"]))
    return int(row["spent_units"]) * _SECONDS_OF_DAY // seconds


def lines_of_account(standing: AccountStanding) -> Iterator[str]:
    """An account in words."""
    mode = standing.mode or "not listed in numbers.toml"
    yield f"{standing.account} ({mode})"
    yield f"  balance   {amount_from_units(standing.balance_units)} credits"
    if standing.held:
        since = f"{standing.oldest_held_at:%Y-%m-%d %H:%M:%S}" if standing.oldest_held_at else ""
        cost = amount_from_units(standing.held_units)
        yield f"  held      {standing.held} messages for {cost} credits, the oldest of {since} UTC"
    yield f"  pace      {amount_from_units(standing.pace_units)} credits a day"
    yield f"  forecast  {standing.forecast}"
    if standing.notify_below_units is not None:
        low = ", and it is" if standing.is_low else ""
        yield f"  notify    below {amount_from_units(standing.notify_below_units)} credits{low}"


def plain_of_account(standing: AccountStanding) -> dict[str, Any]:
    """The same for programs: exact credits as text beside the units."""
    amounts = ("balance", "held", "notify_below", "pace")
    fields: dict[str, Any] = msgspec.structs.asdict(standing)
    exact = {
        f"{name}_credits": None if units is None else amount_from_units(units)
        for name in amounts
        for units in (fields[f"{name}_units"],)
    }
    more = {"is_low": standing.is_low, "days_left": standing.days_left}
    return fields | exact | more | {"forecast": standing.forecast}
