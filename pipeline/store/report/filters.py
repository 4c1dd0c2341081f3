"""The filters of the report in a query string: number, handset and days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

DAYS: Final = 30
EARLIEST: Final = date(1900, 1, 1)
LATEST: Final = date(2299, 12, 30)
_LONGEST: Final = 64


class BadFilter(ValueError):
    """A filter cannot be read; the words name the filter."""


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """`since` and `until` are days in UTC, both included. An empty number or handset means any."""

    number: str = ""
    handset: str = ""
    since: date
    until: date

    def parameters(self) -> dict[str, Any]:
        """The parameters for ClickHouse; `until` becomes the start of the next day."""
        return {
            "number": self.number,
            "handset": self.handset,
            "since": _words_from_day(self.since),
            "until": _words_from_day(self.until + timedelta(days=1)),
        }

    def query(self, **changed: str) -> str:
        """The filters as a query string, with some `changed`, and without empty ones."""
        given = {
            "number": self.number,
            "handset": self.handset,
            "from": self.since.isoformat(),
            "to": self.until.isoformat() if self.until != LATEST else "",
        } | changed
        return urlencode({name: value for name, value in given.items() if value})


def filters_from_query(query: Mapping[str, str], *, newest: datetime | None) -> Filters:
    """The filters of a request; without a first day, the 30 days up to the newest message.

    Raises `BadFilter`.
    """
    last_day = (newest or datetime.now(UTC)).date()
    since = _day(query, "from") or max(EARLIEST, last_day - timedelta(days=DAYS - 1))
    until = _day(query, "to") or LATEST
    if since > until:
        raise BadFilter("from is after to")
    return Filters(
        number=_address(query, "number"),
        handset=_address(query, "handset"),
        since=since,
        until=until,
    )


def _day(query: Mapping[str, str], name: str) -> date | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise BadFilter(f"{name} is not a date like 2026-03-31") from error
    if not EARLIEST <= day <= LATEST:
        raise BadFilter(f"{name} is not between {EARLIEST} and {LATEST}")
    return day


def _address(query: Mapping[str, str], name: str) -> str:
    text = query.get(name, "").strip().removeprefix("+")
    if len(text) > _LONGEST:
        raise BadFilter(f"{name} is longer than {_LONGEST} characters")
    return text


def _words_from_day(day: date) -> str:
    return datetime.combine(day, time()).strftime("%Y-%m-%d %H:%M:%S")
