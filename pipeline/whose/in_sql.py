"""The rules of `rules.py` as SQL conditions: which rows of ClickHouse belong to a handset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.whose.rules import OF_RECORD, SHORTEST_NUMBER, How, Naming

if TYPE_CHECKING:
    from pipeline.records import Record

# The blanks that `str.strip` removes. RE2's \s is only ASCII, and lacks the vertical tab.
_BLANK: Final = r"[\\s\\x0b\\x1c-\\x1f\\x85\\p{Z}]*"


class HandsetTest(NamedTuple):
    """The handsets whose rows are searched, as two pieces of SQL."""

    is_one: str  # what follows a column: "= {h:String}"
    array: str  # all of them, an Array(String)


def where(kind: type[Record], asked: HandsetTest) -> str:
    """The condition for the rows of a record's table or view that belong to these handsets.

    Raises `KeyError` for records that belong to nobody.
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
    """The same as `pipeline.sms.msisdn.address_from_text`, for a field that others write."""
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
