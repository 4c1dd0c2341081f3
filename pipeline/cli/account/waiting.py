"""Publishes an order about a balance, waits for the ledger, and says what was booked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.cli.ask.broker import Outgoing
from pipeline.cli.operate.carried_out import carry_out, refusal_in
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import readers, topics
from pipeline.records import AccountEntry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.records import AccountCredit, Record

LEDGER_SECONDS: Final = 60


def entry_of(bootstrap: str, credit: AccountCredit) -> AccountEntry | None:
    """The entry of the ledger, once the order is carried out; None: its id had counted before.

    Raises `CommandError` if the ledger refused the order, or if nothing took it in
    `LEDGER_SECONDS`. In the second case the order stays in force.
    """
    done = carry_out(
        bootstrap,
        Outgoing(topic=topics.ACCOUNT_CREDIT, record=credit, key=credit.account.encode()),
        group=readers.ACCOUNTS,
        answers=topics.ACCOUNT_ENTRY,
        seconds=LEDGER_SECONDS,
        failure=f"{credit.credit_id} is ordered, and `twoway accounts` has not carried it out",
    )
    return booked(done.written, credit, topic=done.topic, offset=done.offset)


def booked(
    read: Iterable[Record | None], credit: AccountCredit, *, topic: str, offset: int
) -> AccountEntry | None:
    """The entry that the order led to, among what was written since; raises `CommandError`."""
    entry: AccountEntry | None = None
    for value in read:
        refused = refusal_in(value, topic=topic, offset=offset)
        if refused is not None:
            raise CommandError(f"the ledger refused the order: {refused}")
        if isinstance(value, AccountEntry):
            is_of_it = (value.account, value.reference) == (credit.account, credit.credit_id)
            entry = value if is_of_it else entry
    return entry
