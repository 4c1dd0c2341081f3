"""The commands under `twoway account`."""

from __future__ import annotations

from typing import Final

from pipeline.cli.account import reconcile, show, statement
from pipeline.cli.terminal.groups import add_command, group

ACCOUNT: Final = group("Accounts: balances, statements, held messages.", no_args_is_help=True)
add_command(ACCOUNT, "show", show.show_account, example="account show main")
add_command(ACCOUNT, "statement", statement.statement, example="account statement main 2026-03")
add_command(ACCOUNT, "reconcile", reconcile.reconcile, example="account reconcile main march.csv")
