"""Read and check `numbers.toml`: the result is the directory, or all mistakes at once."""

from __future__ import annotations

import hashlib
import re
import tomllib
from typing import TYPE_CHECKING, Any, Final

from pipeline.directory.account_table import accounts_from_tables, check_accounts
from pipeline.directory.checker import LONGEST_DIGITS, TomlChecker
from pipeline.directory.number_table import TAGGED_RANGE, number_from_table
from pipeline.directory.reply_path_table import reply_paths_from_tables
from pipeline.records import Number, Numbers, ReplyPath
from pipeline.sms.msisdn import address_from_text, is_digits

if TYPE_CHECKING:
    from datetime import datetime


_LONGEST_ALPHA: Final = 11  # 3GPP TS 23.040 9.1.2.5: 20 semi-octets hold 11 septets
_AT_LINE: Final = re.compile(r"\(at line (\d+), column \d+\)|\(at end of document\)")


class NumbersError(ValueError):
    """The mistakes in a number directory, one mistake per line, each with its line and field."""


def numbers_from_toml(
    text: str, *, origin: str, loaded_at: datetime, default_account: str = "main"
) -> Numbers:
    """The directory in `text`. Raises `NumbersError` with every mistake; each names `origin`."""
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = _AT_LINE.search(str(error))
        line = at[1] if at and at[1] else text.count("\n") + 1
        raise NumbersError(f"{origin}:{line}: {_AT_LINE.sub('', str(error)).strip()}") from error
    checker = TomlChecker(text, origin)
    checker.unknown(given, (), frozenset(("number", "sender_ids", "reply_path", "account")))
    tables = given.get("number", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        checker.mistake(("number",), "must be tables, each under its own [[number]]")
        tables = []
    numbers = [
        number_from_table(checker, table, ("number", i), default_account)
        for i, table in enumerate(tables)
    ]
    _check_together(checker, numbers)
    sender_ids = _sender_ids(checker, given)
    reply_paths = reply_paths_from_tables(checker, given)
    _check_reply_paths(checker, numbers, reply_paths)
    accounts = accounts_from_tables(checker, given)
    check_accounts(checker, accounts, numbers, reply_paths, default_account)
    if checker.mistakes:
        raise NumbersError("\n".join(words for _, words in sorted(checker.mistakes)))
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Numbers(
        loaded_at=loaded_at,
        digest=digest,
        numbers=numbers,
        sender_ids=sender_ids,
        reply_paths=reply_paths,
        accounts=accounts,
    )


def _check_reply_paths(
    checker: TomlChecker, numbers: list[Number], reply_paths: list[ReplyPath]
) -> None:
    """Each number's path is there. A tagged range is one number, and has one (G8.4)."""
    names = [path.name for path in reply_paths]
    for i, number in enumerate(numbers):
        if number.reply_path and number.reply_path not in names:
            there = f"there are {', '.join(names)}" if names else "there is none"
            checker.mistake(
                ("number", i, "reply_path"),
                f"there is no [reply_path.{number.reply_path}]; {there}",
            )


def _check_together(checker: TomlChecker, numbers: list[Number]) -> None:
    """Check the numbers against each other.

    No two entries hold the same digits. A linked number is listed, bills no MT, is not premium and
    may send.
    """
    readable = [
        (i, n)
        for i, n in enumerate(numbers)
        if is_digits(n.first) and len(n.first) == len(n.last) and n.first <= n.last
    ]
    in_order = sorted(readable, key=lambda entry: (len(entry[1].first), entry[1].first, entry[0]))
    highest: tuple[int, Number] | None = None
    for i, number in in_order:
        if (
            highest
            and len(highest[1].first) == len(number.first)
            and number.first <= highest[1].last
        ):
            later, earlier = max(i, highest[0]), min(i, highest[0])
            field = "first" if numbers[later].kind == TAGGED_RANGE else "number"
            line = checker.lines.line_of(("number", earlier))
            checker.mistake(
                ("number", later, field), f"is listed already, by the [[number]] of line {line}"
            )
        if (
            highest is None
            or len(highest[1].first) < len(number.first)
            or highest[1].last < number.last
        ):
            highest = (i, number)
    for i, number in enumerate(numbers):
        if not number.linked:
            continue
        linked = next(
            (
                n
                for _, n in readable
                if len(n.first) == len(number.linked) and n.first <= number.linked <= n.last
            ),
            None,
        )
        if linked is None:
            checker.mistake(("number", i, "linked"), "is not listed")
        elif linked.mt_billed or linked.premium or not linked.may_send:
            checker.mistake(
                ("number", i, "linked"), "must be a standard-rate number that may send (G7.1.1)"
            )


def _sender_ids(checker: TomlChecker, given: dict[str, Any]) -> list[str]:
    value = given.get("sender_ids", [])
    if not isinstance(value, list) or not all(isinstance(sender_id, str) for sender_id in value):
        checker.mistake(("sender_ids",), "must be a list of texts in quotes")
        return []
    sender_ids = [address_from_text(sender_id) for sender_id in value]
    for sender_id in sender_ids:
        longest = LONGEST_DIGITS if is_digits(sender_id) else _LONGEST_ALPHA
        if not 0 < len(sender_id) <= longest:
            checker.mistake(
                ("sender_ids",),
                f"{sender_id!r} must have 1 to {longest} characters (3GPP TS 23.040 9.1.2.5)",
            )
    return sender_ids
