"""`account show`: balances, held messages, and how long the credits last."""

from typing import Annotated

import typer

from pipeline.cli.terminal.options import Home, Json, settings_from
from pipeline.cli.terminal.output import print_json_line
from pipeline.cli.terminal.saying import say


def show_account(
    account: Annotated[
        str, typer.Argument(metavar="ACCOUNT", help="The account. Default: every account.")
    ] = "",
    json: Json = False,
    home: Home = None,
) -> None:
    """Say how an account stands.

    Its balance, exactly; how many messages are held and the oldest of them; what is spent a day,
    by the last seven days; and for how many days the balance lasts. It asks ClickHouse, which is
    about a second behind.
    """
    settings = settings_from(home=home)

    from pipeline.cli.account.asking import accounts_now
    from pipeline.store.story.account import lines_of_account, plain_of_account

    found = accounts_now(settings, account.strip())
    for standing in found:
        if json:
            print_json_line(plain_of_account(standing))
            continue
        for line in lines_of_account(standing):
            say(line)
    if not found and not json:
        say("no account is listed in numbers.toml, and nothing was booked")
