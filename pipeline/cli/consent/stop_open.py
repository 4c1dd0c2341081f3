"""`stop` and `open`: consent changed by an operator, because it did not come by SMS."""

from typing import Annotated

import typer

from pipeline.cli.consent.orders import (
    By,
    Reason,
    actor_from,
    digits_from,
    send_order,
    words_from,
)
from pipeline.cli.terminal.options import Home, settings_from

Handset = Annotated[
    str, typer.Argument(metavar="HANDSET", help="Handset, in international format.")
]
Number = Annotated[
    str | None,
    typer.Argument(metavar="[NUMBER]", help="Number it is about; else every one of the account."),
]
Keyword = Annotated[
    str | None,
    typer.Option(help="Keyword, on a shared short code; else every keyword of ours there."),
]
Account = Annotated[
    str | None, typer.Option(help="Account, where no number is given; else the default one.")
]


def stop(
    handset: Handset,
    reason: Reason,
    number: Number = None,
    keyword: Keyword = None,
    account: Account = None,
    by: By = None,
    home: Home = None,
) -> None:
    """Stop a handset that asked for it by other means, and print the order's id.

    It changes our side and never the gateway's; nothing is sent to the handset. A later message
    from it re-enables, as after a STOP by SMS.
    """
    _order("stop", handset, reason, number, keyword, account, by, home)


def open_again(
    handset: Handset,
    reason: Reason,
    number: Number = None,
    keyword: Keyword = None,
    account: Account = None,
    by: By = None,
    home: Home = None,
) -> None:
    """Open a handset that asked for it by other means, and print the order's id.

    It changes our side and never the gateway's: a handset that texted STOP stays blocked there
    until it texts again.
    """
    _order("open", handset, reason, number, keyword, account, by, home)


def _order(
    action: str,
    handset: str,
    reason: str,
    number: str | None,
    keyword: str | None,
    account: str | None,
    by: str | None,
    home: Home,
) -> None:
    if keyword and not number:
        raise typer.BadParameter("--keyword needs the NUMBER it is used at")
    if account and number:
        raise typer.BadParameter("--account is for an order without a NUMBER")
    fields = {
        "handset": digits_from(handset, "the handset"),
        "number": digits_from(number, "the number") if number else "",
        "keyword": keyword or "",
        "account": account or "",
        "actor": actor_from(by),
        "reason": words_from(reason),
    }
    settings = settings_from(home=home)

    from pipeline.records import ConsentAction

    typer.echo(send_order(settings, ConsentAction(action), **fields))
