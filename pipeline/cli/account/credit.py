"""`credit`: raises the balance of an account by what was paid, or corrects it."""

import uuid
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pipeline.cli.terminal.arguments import By, ReasonOption, actor_from, words_from
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say
from pipeline.credits import AmountError, amount_from_units, units_from_amount
from pipeline.stages.account import refusing

if TYPE_CHECKING:
    from pipeline.records import AccountCredit, AccountEntry
    from pipeline.settings import Settings


#: A negative amount looks like an option to the parser of the command line.
CONTEXT: Final = {"ignore_unknown_options": True}

AccountName = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="The account, as in numbers.toml.")
]


def credit(
    account: AccountName,
    amount: Annotated[
        str,
        typer.Argument(
            metavar="AMOUNT",
            help="Credits, exactly: 100, 0.3, 1/3 or '4 1/3'. Below zero with --correction only.",
        ),
    ],
    reason: ReasonOption,
    order_id: Annotated[
        str,
        typer.Option(
            "--id",
            metavar="ID",
            help="Your id of the payment. The same id again counts once. Default: a new one.",
            show_default=False,
        ),
    ] = "",
    correction: Annotated[
        str,
        typer.Option(
            "--correction",
            metavar="OF",
            help="It corrects this entry or message (its id). Then it may be below zero.",
            show_default=False,
        ),
    ] = "",
    by: By = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also take an ACCOUNT that numbers.toml does not list.")
    ] = False,
    json: Json = False,
    home: Home = None,
) -> None:
    """Add credits to an account.

    The command waits until the ledger has booked them, and prints the new balance. Messages that
    were held are released in order as far as the balance goes. The same --id again changes nothing.
    """
    order = {
        "account": _name_from(account),
        "units": _units_from(amount, is_correction=bool(correction.strip())),
        "kind": "correction" if correction.strip() else "credit",
        "reference": _id_from(correction, option="--correction"),
        "credit_id": _id_from(order_id, option="--id") or uuid.uuid4().hex,
        "actor": actor_from(by),
        "reason": _reason_from(reason),
    }
    settings = settings_from(home=home)

    from pipeline.cli.terminal.local import clock_of
    from pipeline.home.stack import bootstrap_of
    from pipeline.records import AccountCredit

    bootstrap = bootstrap_of(settings)
    if not force:
        _check_listed(bootstrap, str(order["account"]))
    wanted = AccountCredit(requested_at=clock_of(settings).now(), **order)  # type: ignore[arg-type]

    from pipeline.cli.account.waiting import entry_of

    entry = entry_of(bootstrap, wanted)
    _say(settings, wanted, entry, json=json)


def _say(
    settings: "Settings", wanted: "AccountCredit", entry: "AccountEntry | None", *, json: bool
) -> None:
    """What was booked, and the balance after it; of an order that had counted before, the first."""
    if json:
        found = entry or _booked_before(settings, wanted)
        print_json_line(
            {
                "credit_id": wanted.credit_id,
                "account": wanted.account,
                "is_new": entry is not None,
                "units": found.units,
                "credits": amount_from_units(found.units),
                "balance_units": found.balance,
                "balance_credits": amount_from_units(found.balance),
                "sequence": found.sequence,
            }
        )
        return
    if entry is None:
        before = _booked_before(settings, wanted)
        say(
            f"{wanted.credit_id} had counted before, as {amount_from_units(before.units)} credits"
            f" at {before.at:%Y-%m-%d %H:%M:%S} UTC: nothing changes"
        )
        if before.units != wanted.units:
            raise CommandError(
                f"{wanted.credit_id} was booked with another amount: give this order another --id"
            )
        return
    say(f"{wanted.credit_id}: {amount_from_units(entry.units)} credits are booked")
    say(f"the balance of {entry.account} is {amount_from_units(entry.balance)} credits")


def _booked_before(settings: "Settings", wanted: "AccountCredit") -> "AccountEntry":
    """The entry of an order that counted before; raises `CommandError` if nobody knows it."""
    from pipeline.cli.account.asking import entries_of_reference

    for entry in entries_of_reference(settings, wanted.account, wanted.credit_id):
        return entry
    raise CommandError(
        f"{wanted.credit_id} changed nothing, and the store does not know when it was booked:"
        " see `twoway account show`"
    )


def _check_listed(bootstrap: str, account: str) -> None:
    """Raise `CommandError` for an account that nobody has written down: a slip of the pen."""
    from pipeline.cli.consent.orders import numbers_in_force

    numbers = numbers_in_force(bootstrap)
    names = [each.name for each in numbers.accounts] if numbers else []
    if account not in names:
        there = f"there are {', '.join(names)}" if names else "it lists none"
        raise CommandError(
            f"numbers.toml has no [[account]] {account!r}; {there}. --force takes it all the same"
        )


def _name_from(text: str) -> str:
    name = text.strip()
    if not name or len(name) > refusing.LONGEST_ACCOUNT or not name.isprintable():
        raise typer.BadParameter(
            f"ACCOUNT is a name of at most {refusing.LONGEST_ACCOUNT} characters"
        )
    return name


def _units_from(text: str, *, is_correction: bool) -> int:
    """The amount; raises `typer.BadParameter` for one that cannot be credited."""
    try:
        units = units_from_amount(text)
    except AmountError as error:
        raise typer.BadParameter(f"AMOUNT: {error}") from error
    if not units:
        raise typer.BadParameter("AMOUNT is zero: nothing would change")
    if units < 0 and not is_correction:
        raise typer.BadParameter(
            "AMOUNT is below zero: say with --correction which entry or message it corrects"
        )
    return units


def _id_from(text: str, *, option: str) -> str:
    name = text.strip()
    if len(name) > refusing.LONGEST_ID or not (name.isprintable() and name.isascii()):
        raise typer.BadParameter(
            f"{option} is at most {refusing.LONGEST_ID} printable ASCII characters"
        )
    return name


def _reason_from(text: str) -> str:
    words = words_from(text)
    if len(words) > refusing.LONGEST_WORDS or not words.isprintable():
        raise typer.BadParameter(
            f"--reason is at most {refusing.LONGEST_WORDS:,} printable characters"
        )
    return words
