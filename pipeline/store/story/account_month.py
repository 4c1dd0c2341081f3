"""A month of an account: what was booked on each day, and whether it adds up to the last third."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.credits import amount_from_units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.records import AccountEntry
    from pipeline.store.story.asking import Asking

_MONTH: Final = re.compile(r"([12][0-9]{3})-(0[1-9]|1[0-2])", re.ASCII)
_THEN: Final = """at >= toDateTime64({since:String}, 3, 'UTC')
    AND at < toDateTime64({until:String}, 3, 'UTC')"""
_WHOLE: Final = f"""\
SELECT count() AS entries, min(sequence) AS first, max(sequence) AS last,
    argMin(balance - units, sequence) AS opening, argMax(balance, sequence) AS closing,
    countIf(before + units != balance) AS wrong
FROM
(
    SELECT sequence, units, balance, lagInFrame(balance, 1, balance - units)
        OVER (ORDER BY sequence ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS before
    FROM account_entry WHERE account = {{account:String}} AND {_THEN}
)"""  # noqa: S608  names of ours
_BEFORE: Final = """\
SELECT sequence, balance FROM account_entry
WHERE account = {account:String} AND at < toDateTime64({since:String}, 3, 'UTC')
ORDER BY sequence DESC LIMIT 1"""
_DAYS: Final = f"""\
SELECT toString(toDate(at, 'UTC')) AS day, kind, count() AS entries, sum(parts) AS parts,
    sum(units) AS units
FROM account_entry WHERE account = {{account:String}} AND {_THEN}
GROUP BY day, kind ORDER BY day, kind"""  # noqa: S608  names of ours


class BadMonth(ValueError):
    """A text is no month; the words say how one is written."""


class DayOfMonth(msgspec.Struct, frozen=True, kw_only=True):
    """What was booked on a day under one kind. Amounts are units of 1/3,000,000 credit."""

    day: date
    kind: str
    entries: int
    parts: int
    units: int


class MonthStatement(msgspec.Struct, frozen=True, kw_only=True):
    """A month of an account. `faults` say what does not add up; without any, everything does."""

    account: str
    month: str
    opening: int
    closing: int
    entries: int
    days: list[DayOfMonth]
    faults: list[str] = []

    @property
    def sum_units(self) -> int:
        """What was booked, credits and costs together."""
        return sum(day.units for day in self.days)

    @property
    def words(self) -> str:
        """The sum, exactly, and whether it is right."""
        opening, booked, closing = map(
            amount_from_units, (self.opening, self.sum_units, self.closing)
        )
        if self.faults:
            return f"it does not add up: {'; '.join(self.faults)}"
        return f"opening {opening} + booked {booked} = closing {closing}, exactly"


def times_of_month(text: str) -> tuple[datetime, datetime]:
    """The first moment of a month such as 2026-03, and that of the next, in UTC; `BadMonth`."""
    found = _MONTH.fullmatch(text.strip())
    if found is None:
        raise BadMonth(f"{text.strip()[:20]!r} is no month such as 2026-03")
    year, month = int(found[1]), int(found[2])
    if not 1970 <= year <= 2298:
        raise BadMonth(f"{text.strip()} is not between 1970 and 2298")
    until = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    return datetime(year, month, 1, tzinfo=UTC), until


def asking_month(account: str, month: str) -> Asking[MonthStatement]:
    """The statement of a month; raises `BadMonth`."""
    since, until = times_of_month(month)
    given = {"account": account, "since": _words_of(since), "until": _words_of(until)}
    (whole,) = yield _WHOLE, given
    before = yield _BEFORE, {"account": account, "since": _words_of(since)}
    days = msgspec.convert([dict(row) for row in (yield _DAYS, given)], list[DayOfMonth])
    sequence, balance = (before[0]["sequence"], before[0]["balance"]) if before else (0, 0)
    count = int(whole["entries"])
    opening = int(whole["opening"]) if count else int(balance)
    closing = int(whole["closing"]) if count else int(balance)
    faults = []
    if opening != balance:
        faults.append(
            f"it opens with {amount_from_units(opening)} credits, and the entry before left"
            f" {amount_from_units(balance)}"
        )
    if count and (whole["first"] != sequence + 1 or whole["last"] - sequence != count):
        faults.append(f"entries are missing: {count} of {int(whole['last']) - sequence} are there")
    if whole["wrong"]:
        faults.append(f"{whole['wrong']} balances do not follow from the one before")
    if opening + sum(day.units for day in days) != closing:
        faults.append("opening and entries do not make the closing balance")
    return MonthStatement(
        account=account,
        month=f"{since:%Y-%m}",
        opening=opening,
        closing=closing,
        entries=count,
        days=days,
        faults=faults,
    )


class Adding:
    """Adds entries up as they are printed: a second look, apart from the sums of ClickHouse."""

    def __init__(self, opening: int) -> None:
        self.balance = opening
        self.entries = 0
        self.faults: list[str] = []
        self._sequence: int | None = None

    def follow(self, entries: Iterable[AccountEntry]) -> Iterator[AccountEntry]:
        """The same entries; what is wrong with them is in `faults` afterwards."""
        for entry in entries:
            self.balance += entry.units
            self.entries += 1
            if self._sequence is not None and entry.sequence != self._sequence + 1:
                self._found(f"entry {entry.sequence} follows {self._sequence}")
            if entry.balance != self.balance:
                self._found(
                    f"entry {entry.sequence} has the balance {amount_from_units(entry.balance)},"
                    f" and {amount_from_units(self.balance)} is right"
                )
                self.balance = entry.balance
            self._sequence = entry.sequence
            yield entry

    def _found(self, fault: str) -> None:
        if len(self.faults) < 5:
            self.faults.append(fault)


def _words_of(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S")
