"""Reads the rules of `faults.toml`; an error names the file, the line and the field."""

from __future__ import annotations

import re
import tomllib
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from pipeline.gateway.faults.kinds import BY_NAME, HTTP_WAYS, Group, Kind
from pipeline.gateway.faults.rules import Rule, door_of
from pipeline.gateway.settings import MoWay

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LARGEST: Final = 1024 * 1024  # octets of a file or a request with rules
_TABLE: Final = "fault"
_HANDSET: Final = re.compile(r"[0-9*?]{1,20}")
_CODE: Final = re.compile("[0-9]{3}")
_MOST: Final = {
    "nth": 1_000_000,
    "octets": 100_000_000,
    "seconds": 86_400,
    "minutes": 44_640,
    "days": 31,
}
_HEADER: Final = re.compile(r"\s*\[\[\s*fault\s*\]\]")
_AT_LINE: Final = re.compile(r"\s*\(at line (\d+), column \d+\)|\s*\(at end of document\)")


class UnusableFaults(ValueError):
    """A rule is invalid; the message is `origin:line: field: why`."""


def rules_from(text: str, *, origin: str) -> list[Rule]:
    """Parse TOML into rules, in their order; raises `UnusableFaults` for the first error."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT_LINE.search(str(error))
        line = at[1] if at and at[1] else str(text.count("\n") + 1)
        words = _AT_LINE.sub("", str(error))
        raise UnusableFaults(f"{origin}:{line}: {words}") from error
    except RecursionError as error:
        raise UnusableFaults(f"{origin}: is nested too deeply") from error
    lines = _Lines(text, origin)
    for name in given:
        if name != _TABLE:
            raise lines.mistake(-1, name, "is not known here: each fault is a [[fault]]")
    tables = given.get(_TABLE, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise lines.mistake(-1, _TABLE, "must be tables, each under its own [[fault]]")
    return [_rule_from(table, _Place(lines, at)) for at, table in enumerate(tables)]


class _Lines:
    """The line of each table and field in the text; `tomllib` does not give lines."""

    def __init__(self, text: str, origin: str) -> None:
        self._lines = text.splitlines()
        self._origin = origin
        self._tables = [at for at, line in enumerate(self._lines, 1) if _HEADER.match(line)]

    def mistake(self, table: int, field: str, words: str) -> UnusableFaults:
        begin = self._tables[table] if 0 <= table < len(self._tables) else 1
        end = self._tables[table + 1] if 0 <= table < len(self._tables) - 1 else None
        name = re.compile(rf"\s*\[*\s*[\"']?{re.escape(field)}\b")
        inside = enumerate(self._lines[begin - 1 : end and end - 1], begin)
        found = (line for line, words in inside if not _HEADER.match(words) and name.match(words))
        return UnusableFaults(f"{self._origin}:{next(found, begin)}: {field}: {words}")


class _Place:
    """The place of one [[fault]] table, for error messages."""

    def __init__(self, lines: _Lines, table: int) -> None:
        self._lines = lines
        self._table = table

    def mistake(self, field: str, words: str) -> UnusableFaults:
        return self._lines.mistake(self._table, field, words)


def _rule_from(table: Mapping[str, Any], place: _Place) -> Rule:
    kind = BY_NAME.get(table["do"]) if isinstance(table.get("do"), str) else None
    if kind is None:
        raise place.mistake("do", f"must be one of {', '.join(BY_NAME)}")
    known = {"do", "way", "nth", "share", *kind.values}
    if kind.group is not Group.CONNECTION:  # TLS begins before the handset is known
        known.add("handset")
    fields: dict[str, Any] = {}
    for name, value in table.items():
        if name not in known:
            raise place.mistake(name, f"is not known of {kind.name}: {', '.join(sorted(known))}")
        words = _CHECKS[name](value, kind)
        if words:
            raise place.mistake(name, words)
        fields[name] = value
    del fields["do"]
    if kind.name == "refuse" and "code" not in fields:
        raise place.mistake("code", 'is required, for example "105"')
    if "seconds" in fields and "until" in fields:
        raise place.mistake("until", "or seconds, not both")
    if kind.group is Group.CONNECTION and fields.get("way") in HTTP_WAYS:
        fields["way"] = door_of(fields["way"])
    return Rule(kind=kind, **fields)


def _way(value: object, kind: Kind) -> str:
    family = value.partition("-")[0] if isinstance(value, str) else ""
    is_mo = kind.group is Group.HANDSET and value in set(MoWay)
    if family in kind.ways and (value == family or is_mo):
        return ""
    return f"must be one of {', '.join(kind.ways)} for {kind.name}"


def _number(name: str, *, is_whole: bool, least: float = 0) -> Callable[[object, Kind], str]:
    def check(value: object, _: Kind) -> str:
        wanted = int if is_whole else int | float
        is_one = isinstance(value, wanted) and not isinstance(value, bool)
        if is_one and least <= value <= _MOST[name]:  # type: ignore[operator]
            return ""
        kind = "a whole number" if is_whole else "a number"
        return f"must be {kind} from {least:g} to {_MOST[name]}"

    return check


def _share(value: object, _: Kind) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_share = is_number and 0 < value <= 1  # type: ignore[operator]
    return "" if is_share else "must be a number above 0, at most 1"


def _until(value: object, _: Kind) -> str:
    is_aware = isinstance(value, datetime) and value.tzinfo is not None
    return "" if is_aware else "must be a time with its zone: 2026-11-28T12:00:00Z"


def _of_form(form: re.Pattern[str], words: str) -> Callable[[object, Kind], str]:
    return lambda value, _: "" if isinstance(value, str) and form.fullmatch(value) else words


_CHECKS: Final[Mapping[str, Callable[[object, Kind], str]]] = {
    "do": lambda value, kind: "",
    "way": _way,
    "handset": _of_form(_HANDSET, "must be digits in quotes, * for any, ? for one"),
    "nth": _number("nth", is_whole=True, least=1),
    "share": _share,
    "octets": _number("octets", is_whole=True),
    "seconds": _number("seconds", is_whole=False),
    "minutes": _number("minutes", is_whole=False),
    "days": _number("days", is_whole=False),
    "code": _of_form(_CODE, 'must be three digits in quotes: "105"'),
    "until": _until,
}
