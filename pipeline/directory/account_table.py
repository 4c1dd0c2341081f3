"""One `[[account]]` of `numbers.toml`: its fields, each with what it allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pipeline.credits import UNITS_PER_CREDIT
from pipeline.records import AccountMode, AccountTerms

if TYPE_CHECKING:
    from pipeline.directory.checker import TomlChecker
    from pipeline.directory.lines import TomlPath
    from pipeline.records import Number, ReplyPath

MODES: Final = tuple(mode.value for mode in AccountMode)
#: "The standard charge is a third of a credit, per inbound message" (G9).
MO_PRICE_UNITS: Final = UNITS_PER_CREDIT // 3
MT_PRICE_UNITS: Final = UNITS_PER_CREDIT
#: A part that costs more is a slip.
MOST_PRICE_UNITS: Final = 10_000 * UNITS_PER_CREDIT
LONGEST_NAME: Final = 64
PRICES: Final = ("mo_price", "mt_price")
_FIELDS: Final = frozenset(("name", "mode", *PRICES, "notify_below"))


def accounts_from_tables(checker: TomlChecker, given: dict[str, Any]) -> list[AccountTerms]:
    """Every account; what is wrong with them goes to the checker's mistakes."""
    tables = given.get("account", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        checker.mistake(("account",), "must be tables, each under its own [[account]]")
        return []
    return [_account_from_table(checker, table, i) for i, table in enumerate(tables)]


def _account_from_table(checker: TomlChecker, table: dict[str, Any], i: int) -> AccountTerms:
    path: TomlPath = ("account", i)
    checker.unknown(table, path, _FIELDS)
    name = checker.text(table, (*path, "name"))
    if not name:
        words = "must not be empty" if "name" in table else "is missing"
        checker.mistake((*path, "name"), words)
    elif len(name) > LONGEST_NAME or not name.isprintable():
        checker.mistake((*path, "name"), f"must be printable, at most {LONGEST_NAME} characters")
    mode = checker.text(table, (*path, "mode"))
    if mode not in MODES:
        words = "must be" if "mode" in table else "is missing;"
        checker.mistake((*path, "mode"), f"{words} one of {', '.join(MODES)}")
    mo_price = price_from_table(checker, table, (*path, "mo_price"))
    mt_price = price_from_table(checker, table, (*path, "mt_price"))
    return AccountTerms(
        name=name,
        mode=mode,
        mo_price_units=MO_PRICE_UNITS if mo_price is None else mo_price,
        mt_price_units=MT_PRICE_UNITS if mt_price is None else mt_price,
        notify_below_units=checker.credits(table, (*path, "notify_below")),
    )


def price_from_table(checker: TomlChecker, table: dict[str, Any], path: TomlPath) -> int | None:
    """What one part costs, in units; None if the table does not say."""
    units = checker.credits(table, path)
    if units is not None and units > MOST_PRICE_UNITS:
        most = MOST_PRICE_UNITS // UNITS_PER_CREDIT
        checker.mistake(path, f"must be at most {most:,} credits a part")
    return units


def check_accounts(
    checker: TomlChecker,
    accounts: list[AccountTerms],
    numbers: list[Number],
    reply_paths: list[ReplyPath],
    default_account: str,
) -> None:
    """Each account is there once, and is some number's; no part of an unpaid message goes on."""
    known: dict[str, AccountTerms] = {}
    used = {default_account, *(number.account for number in numbers)}
    for i, account in enumerate(accounts):
        if account.name in known:
            checker.mistake(("account", i, "name"), f"{account.name!r} is there twice")
        elif account.name and account.name not in used:
            words = f"no number is of the account {account.name!r}; there are"
            checker.mistake(("account", i, "name"), f"{words} {', '.join(sorted(used))}")
        known.setdefault(account.name, account)
    by_parts = {path.name for path in reply_paths if path.unit == "part"}
    for i, number in enumerate(numbers):
        its = known.get(number.account)
        if its is None:
            for field, price in zip(
                PRICES, (number.mo_price_units, number.mt_price_units), strict=True
            ):
                if price is not None:
                    words = "is for an account that is listed: there is no [[account]]"
                    words = f"{words} {number.account!r}"
                    checker.mistake(("number", i, field), words)
        elif its.mode == AccountMode.HOLD and number.reply_path in by_parts:
            checker.mistake(
                ("number", i, "reply_path"),
                f"[reply_path.{number.reply_path}] hands on parts as they come, and a message of"
                f" the account {its.name!r} is held until it is paid: its unit must be message",
            )
