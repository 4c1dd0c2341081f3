"""`stop` and `open`: an operator changes consent that a handset did not change by SMS."""

from typing import Annotated

import typer

from pipeline.cli.consent.orders import checked_order
from pipeline.cli.terminal.arguments import (
    By,
    ReasonOption,
    actor_from,
    handset_from,
    number_from,
    words_from,
)
from pipeline.cli.terminal.options import Home, settings_from
from pipeline.cli.terminal.saying import say

Handset = Annotated[
    str, typer.Argument(metavar="HANDSET", help="Handset, in international format.")
]
NumberOption = Annotated[
    str | None,
    typer.Argument(
        metavar="NUMBER", help="The number of ours. Default: every number of the account."
    ),
]
Keyword = Annotated[
    str | None,
    typer.Option(
        metavar="WORD", help="Keyword on a shared short code. Default: every keyword of ours there."
    ),
]
Account = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Account, if no NUMBER is given. Default: the setting account."
    ),
]

Force = Annotated[
    bool, typer.Option("--force", help="Also take a NUMBER that the directory does not list.")
]


def stop(
    handset: Handset,
    reason: ReasonOption,
    number: NumberOption = None,
    keyword: Keyword = None,
    account: Account = None,
    by: By = None,
    force: Force = False,
    home: Home = None,
) -> None:
    """Stop a handset by an order, and print the order's id.

    It is for an owner who asked for it by other means than SMS. The command waits until a worker
    has carried the order out, and prints the new state on stderr. The order changes our side, never
    the gateway's side. Nothing is sent to the handset. A later message from the handset opens it
    again, as after a STOP by SMS.
    """
    _order("stop", handset, reason, number, keyword, account, by, force, home)


def open_again(
    handset: Handset,
    reason: ReasonOption,
    number: NumberOption = None,
    keyword: Keyword = None,
    account: Account = None,
    by: By = None,
    force: Force = False,
    home: Home = None,
) -> None:
    """Open a handset by an order, and print the order's id.

    It is for an owner who asked for it by other means than SMS. The command waits until a worker
    has carried the order out, and prints the new state on stderr. The order changes our side, never
    the gateway's side: the gateway blocks a handset that texted STOP until the handset texts again.
    """
    _order("open", handset, reason, number, keyword, account, by, force, home)


def _order(
    action: str,
    handset: str,
    reason: str,
    number: str | None,
    keyword: str | None,
    account: str | None,
    by: str | None,
    force: bool,
    home: Home,
) -> None:
    if keyword and not number:
        raise typer.BadParameter("--keyword needs the NUMBER of its short code")
    if account and number:
        raise typer.BadParameter("--account is for an order without a NUMBER")
    fields = {
        "handset": handset_from(handset),
        "number": number_from(number) if number else "",
        "keyword": keyword or "",
        "account": account or "",
        "actor": actor_from(by),
        "reason": words_from(reason),
    }
    settings = settings_from(home=home)

    from pipeline.records import ConsentAction

    bootstrap, request = checked_order(settings, ConsentAction(action), fields, is_forced=force)

    from pipeline.cli.consent.waiting import changes_of, lines_of_changes

    changes = changes_of(bootstrap, request)
    say(request.request_id)
    for line in lines_of_changes(changes):
        say(line, err=True)
