"""Publishes an order about a balance, waits for the ledger, and says what was booked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from kafka import TopicPartition

from pipeline.avro.single_object import Unreadable, decode
from pipeline.cli.ask.broker import Outgoing, open_admin, open_consumer, publish
from pipeline.cli.ask.reading import records_between
from pipeline.cli.ask.waiting import wait_for
from pipeline.cli.operate import groups
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import readers, topics
from pipeline.records import AccountEntry, DeadLetter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipeline.records import AccountCredit, Record

LEDGER_SECONDS: Final = 60


def entry_of(bootstrap: str, credit: AccountCredit) -> AccountEntry | None:
    """The entry of the ledger, once the order is carried out; None: its id had counted before.

    Raises `CommandError` if the ledger refused the order, or if nothing took it in
    `LEDGER_SECONDS`. In the second case the order stays in force.
    """
    outgoing = Outgoing(topic=topics.ACCOUNT_CREDIT, record=credit, key=credit.account.encode())
    with open_admin(bootstrap) as admin, open_consumer(bootstrap) as consumer:
        count = len(consumer.partitions_for_topic(topics.ACCOUNT_CREDIT) or ())
        if not count:
            raise CommandError(f"the broker has no topic {topics.ACCOUNT_CREDIT}: start the stack")
        partition = topics.partition_of(outgoing.key or b"", count)
        orders = TopicPartition(topics.ACCOUNT_CREDIT, partition)
        answers = [
            TopicPartition(name, partition) for name in (topics.ACCOUNT_ENTRY, topics.DEAD_LETTER)
        ]
        starts = groups.offsets_at(admin, answers)
        offset = publish(bootstrap, [outgoing])[topics.ACCOUNT_CREDIT, partition]

        def is_done() -> bool | None:
            found = groups.positions(admin, group=readers.ACCOUNTS, partitions=[orders])
            return found[orders].offset > offset or None

        wait_for(
            is_done,
            seconds=LEDGER_SECONDS,
            failure=f"{credit.credit_id} is ordered, and `twoway accounts` has not carried it out",
        )
        ends = groups.offsets_at(admin, answers, committed=False)
        read = [_read(record) for record in records_between(consumer, starts=starts, ends=ends)]
    return booked(read, credit, topic=orders.topic, offset=offset)


def booked(
    read: Iterable[Record | None], credit: AccountCredit, *, topic: str, offset: int
) -> AccountEntry | None:
    """The entry that the order led to, among what was written since; raises `CommandError`."""
    entry: AccountEntry | None = None
    for value in read:
        if isinstance(value, DeadLetter) and (value.topic, value.offset) == (topic, offset):
            raise CommandError(f"the ledger refused the order: {value.words}")
        if isinstance(value, AccountEntry):
            is_of_it = (value.account, value.reference) == (credit.account, credit.credit_id)
            entry = value if is_of_it else entry
    return entry


def _read(record: Any) -> Record | None:
    try:
        return decode(record.value or b"")
    except (Unreadable, msgspec.ValidationError):
        return None
