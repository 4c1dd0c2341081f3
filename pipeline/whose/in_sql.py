"""Whose a row of ClickHouse is, as a condition: the same rules as SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.whose.rules import OF_RECORD, SHORTEST_NUMBER, How, Naming

if TYPE_CHECKING:
    from pipeline.records import Record

# What `str.strip` takes off: \s of RE2 is of ASCII alone, and without the vertical tab.
_BLANK: Final = r"[\\s\\x0b\\x1c-\\x1f\\x85\\p{Z}]*"


class HandsetTest(NamedTuple):
    """The handsets that rows are looked for of, as SQL."""

    is_one: str  # what follows a column: "= {h:String}"
    array: str  # all of them, an Array(String)


def where(kind: type[Record], asked: HandsetTest) -> str:
    """Which rows of a record's table, or of its view, are of the handsets asked for.

    Raises `KeyError` for records that are nobody's.
    """
    namings = OF_RECORD[kind]
    wholes = [_whole(naming, asked) for naming in namings]
    found = [words for words in wholes if words]
    within = [words for naming in namings if (words := _within(naming))]
    if within:
        found.append(
            f"arrayExists(number -> length(number) >= {SHORTEST_NUMBER}"
            f" AND ({' OR '.join(within)}),"
            f" {asked.array})"
        )
    return " OR ".join(found)


def _whole(naming: Naming, asked: HandsetTest) -> str:
    match naming.how:
        case How.KEY:
            return f"handset {asked.is_one}"
        case How.DIGITS if naming.field == "key":
            return f"ifNull(key, '') {asked.is_one}"
        case How.DIGITS:
            return f"{naming.field} {asked.is_one}"
        case How.ADDRESS:
            return f"{_address(naming.field)} {asked.is_one}"
        case _:
            return ""


def _address(column: str) -> str:
    """What `pipeline.sms.msisdn.address_from_text` does, for a field that others write."""
    pattern = rf"^{_BLANK}\\+?([0-9]+){_BLANK}$"
    return rf"replaceRegexpOne({column}, '{pattern}', '\\1')"


def _within(naming: Naming) -> str:
    match naming.how:
        case How.WITHIN:
            return f"position({naming.field}, number) > 0"
        case How.WITHIN_EACH:
            return f"arrayExists(held -> position(held, number) > 0, {naming.field})"
        case _:
            return ""
