"""The filters of the report in a query string. Every view has an address that says all of it."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DAYS: Final = 30
EARLIEST: Final = datetime(1900, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2299, 12, 31, tzinfo=UTC)
_LONGEST: Final = 64
_LONGEST_TEXT: Final = 400
_RANGE: Final = re.compile(r"([0-9]+)\s*(?:-|\.\.)\s*([0-9]+)")
_CHOICES: Final = {
    "direction": ("in", "out", "refused"),
    "complete": ("yes", "no"),
    "consent": ("open", "stopped", "confirmation-due"),
    "released": ("yes", "no"),
}
#: Filters that are words compared as they are given.
WORDS: Final = (
    "api_id", "account", "keyword", "way", "flag", "purpose", "rule", "state", "code",
)  # fmt: skip
#: Words that only some lists have a column for.
OWN: Final = ("reason", "stage", "source", "scope", "actor", "path", "outcome")
#: The filters of lists that are not of messages.
FEW: Final = frozenset({"number", "handset", "from", "to"})
ALL: Final = (FEW | {"text", *WORDS, *_CHOICES}) - {"released"}  # a held one is no line yet


class BadFilter(ValueError):
    """A filter cannot be read; the words name the filter."""


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. An empty field means any. Times: `since` is included, `until` is not."""

    since: datetime | None = None
    until: datetime | None = None
    number: str = ""
    handset: str = ""
    text: str = ""
    direction: str = ""
    complete: str = ""
    consent: str = ""
    released: str = ""
    api_id: str = ""
    account: str = ""
    keyword: str = ""
    way: str = ""
    flag: str = ""
    purpose: str = ""
    rule: str = ""
    state: str = ""
    code: str = ""
    reason: str = ""
    stage: str = ""
    source: str = ""
    scope: str = ""
    actor: str = ""
    path: str = ""
    outcome: str = ""

    @property
    def number_range(self) -> tuple[str, str] | None:
        """First and last of a range of numbers; None for one number or any."""
        match = _RANGE.fullmatch(self.number)
        return (match[1], match[2]) if match else None

    def parameters(self) -> dict[str, Any]:
        """The parameters for ClickHouse of the few filters that every list has."""
        first, last = self.number_range or (self.number, self.number)
        return {
            "number_first": first,
            "number_last": last,
            "handset": self.handset,
            "since": words_for_clickhouse(self.since or EARLIEST),
            "until": words_for_clickhouse(self.until or LATEST),
        }

    def given(self) -> dict[str, str]:
        """The filters that are set, as they stand in the address."""
        named = {
            name: getattr(self, name)
            for name in self.__struct_fields__
            if name not in ("since", "until")
        }
        times = {"from": _address_of(self.since), "to": _address_of(self.until)}
        return {name: value for name, value in (times | named).items() if value}

    def query(self, **changed: str) -> str:
        """The filters as a query string, with some `changed`, and without empty ones."""
        given = self.given() | changed
        return urlencode({name: value for name, value in given.items() if value})

    def few(self, known: Iterable[str] = FEW) -> str:
        """As `query`, with those alone that a list knows."""
        return urlencode({name: value for name, value in self.given().items() if name in known})


def filters_from_query(query: Mapping[str, str]) -> Filters:
    """The filters of a request; raises `BadFilter`."""
    since, until = time_of_filter(query, "from"), time_of_filter(query, "to", is_end=True)
    if since and until and since >= until:
        raise BadFilter("from is not before to")
    words = {name: _words(query, name) for name in (*WORDS, *OWN)}
    words["keyword"] = words["keyword"].upper()
    return Filters(
        since=since,
        until=until,
        number=_number(query),
        handset=_words(query, "handset").removeprefix("+"),
        text=_words(query, "text", longest=_LONGEST_TEXT),
        **{name: _choice(query, name) for name in _CHOICES},
        **words,
    )


def with_days(filters: Filters, *, newest: datetime | None) -> Filters:
    """The same; without a first time, from 30 days before the newest message on."""
    if filters.since:
        return filters
    last = min(newest or datetime.now(UTC), filters.until or LATEST)
    first = datetime.combine(last.date(), time(), UTC) - timedelta(days=DAYS - 1)
    return msgspec.structs.replace(filters, since=max(EARLIEST, first))


def time_of_filter(query: Mapping[str, str], name: str, *, is_end: bool = False) -> datetime | None:
    """A day, which as an end is included, or a minute or a second, in UTC unless it says else."""
    text = query.get(name, "")
    if not text:
        return None
    try:
        if len(text) == len("2026-03-31"):
            found = datetime.combine(date.fromisoformat(text), time(), UTC)
            found += timedelta(days=1) if is_end else timedelta()
        else:
            found = datetime.fromisoformat(text.replace(" ", "T"))
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadFilter(f"{name} is not a time like 2026-03-31 or 2026-03-31T12:05") from error
    if not EARLIEST <= found <= LATEST:
        raise BadFilter(f"{name} is not between {EARLIEST.date()} and {LATEST.date()}")
    return found


def words_for_clickhouse(value: datetime) -> str:
    """A time as a DateTime64(3, 'UTC') is given."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _address_of(value: datetime | None) -> str:
    """The shortest form of a time that is read back as the same."""
    if value is None:
        return ""
    return value.strftime("%Y-%m-%dT%H:%M" if not value.second else "%Y-%m-%dT%H:%M:%S")


def _choice(query: Mapping[str, str], name: str) -> str:
    value = query.get(name, "")
    if value and value not in _CHOICES[name]:
        raise BadFilter(f"{name} is none of {', '.join(_CHOICES[name])}")
    return value


def _number(query: Mapping[str, str]) -> str:
    value = _words(query, "number").removeprefix("+")
    match = _RANGE.fullmatch(value)
    if match and (len(match[1]) != len(match[2]) or match[1] > match[2]):
        raise BadFilter("number is no range: first-last, both of as many digits")
    return value


def _words(query: Mapping[str, str], name: str, *, longest: int = _LONGEST) -> str:
    value = query.get(name, "")
    if len(value) > longest:
        raise BadFilter(f"{name} is longer than {longest} characters")
    if "\0" in value:
        raise BadFilter(f"{name} holds the character NUL")
    return value
