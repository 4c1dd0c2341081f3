"""`accounts`: the process that keeps the ledger of each account."""

from pipeline.cli.terminal.options import Home, settings_from
from pipeline.process.loading import loading


def accounts(home: Home = None) -> None:
    """Keep the ledger of each account, and release what is paid.

    Accounts, their modes and prices are in numbers.toml. Without this process nothing is booked,
    and what an account holds waits. You can start several, at most one for each partition.
    """
    settings = settings_from(home=home)
    with loading():
        from pipeline.accounts import process

    process.run(settings)
