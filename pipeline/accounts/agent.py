"""The agent `accounts`: folds charges and credits into the ledger, and releases what is paid.

It reads the topics that `pipeline/kafka/readers.py` lists. `pipeline/stages/account` decides. All
of an account is in one partition, that of its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pipeline.accounts.books import Books
from pipeline.accounts.refusals import bury_unbooked, refuse_unbooked
from pipeline.accounts.tables import (
    ACCOUNT_ROWS,
    BOOKED_ROWS,
    CREDIT_ROWS,
    LISTED_NUMBERS,
)
from pipeline.avro import single_object
from pipeline.directory.directory import Directory
from pipeline.engine.bounded_times import TimeBounds
from pipeline.engine.due import Due
from pipeline.kafka import readers, topics
from pipeline.records import (
    AccountCharge,
    AccountCredit,
    ChargeKind,
    Clock,
    Numbers,
    Reason,
    Record,
    Rejected,
)
from pipeline.stages.account.ledger import RELEASES_AT_MOST
from pipeline.stages.account.refusing import what_is_wrong_with_charge, what_is_wrong_with_credit
from pipeline.stages.account.row import decode_booked, decode_credit
from pipeline.wrong_deploy import WrongDeploy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from pipeline.accounts.balances import Balances
    from pipeline.engine.state.state import State
    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.settings import Settings


class AccountsAgent:
    """The agent's work for one partition."""

    def __init__(self, *, partition: int, settings: Settings, balances: Balances) -> None:
        self._partition = partition
        self._partitions = settings.partitions
        self._default_account = settings.account
        self._books = Books(partition=partition, balances=balances)
        self._due = Due(
            TimeBounds(is_local=not settings.kafka),
            {BOOKED_ROWS: self._forget_booked},
            bury=bury_unbooked,
        )
        self._take: Mapping[str, tuple[type[Record], Callable[..., bool | None]]] = {
            topics.NUMBERS: (Numbers, self._take_numbers),
            topics.ACCOUNT_CREDIT: (AccountCredit, self._take_credit),
            topics.ACCOUNT_CHARGE: (AccountCharge, self._take_charge),
            topics.CLOCK: (Clock, self._due.take_tick),
        }

    def restored(self, state: State) -> None:
        """Take up the directory; raises `WrongDeploy`."""
        octets = state.tables[LISTED_NUMBERS].get(b"")
        try:
            self._books.directory = self._directory_of(octets) if octets else Directory.empty()
        except single_object.Unreadable as error:
            raise WrongDeploy(f"the directory in the state cannot be read: {error}") from error
        self._books.show_restored(state.tables[ACCOUNT_ROWS])

    def process_record(self, work: UnitOfWork, record: ConsumerRecord) -> bool:
        """Do one record's work; True when more of it is left than one unit may hold."""
        kind, take = self._take[record.topic]
        try:
            value = single_object.decode(record.value or b"")
        except single_object.Unreadable as error:
            self._not_read(work, record, str(error))
            return False
        if not isinstance(value, kind):
            self._not_read(work, record, f"a {type(value).__name__} does not belong there")
            return False
        return take(work, record, value) is True

    def refuse(self, work: UnitOfWork, record: ConsumerRecord, error: Exception) -> None:
        """Write a record on which the agent failed to the dead letters."""
        refuse_unbooked(work, record, error)

    def _not_read(self, work: UnitOfWork, record: ConsumerRecord, words: str) -> None:
        """What the worker reads too is in the dead letters already."""
        if record.topic not in readers.READ_BY[readers.CONVERSATION]:
            bury_unbooked(work, record, Rejected(Reason.UNREADABLE_RECORD, words))

    def _directory_of(self, octets: bytes) -> Directory:
        numbers = cast("Numbers", single_object.decode(octets))
        return Directory(numbers, default_account=self._default_account)

    def _take_numbers(self, work: UnitOfWork, record: ConsumerRecord, numbers: Numbers) -> bool:
        """Change over to a directory; an account that holds nothing any more releases all."""
        work.tables[LISTED_NUMBERS].put(b"", record.value)
        self._books.directory = Directory(numbers, default_account=self._default_account)
        left = RELEASES_AT_MOST
        for key in work.tables[ACCOUNT_ROWS].keys(b""):
            ledger = self._books.open_ledger(work, record, key.decode())
            is_unfinished = self._books.release_paid(work, ledger, at_most=left)
            left -= len(ledger.taken)
            self._books.close_ledger(work, ledger)
            if is_unfinished:
                return True
        return False

    def _take_charge(self, work: UnitOfWork, record: ConsumerRecord, charge: AccountCharge) -> bool:
        if self._sends_on(work, record, charge.account):
            return False
        octets = work.tables[BOOKED_ROWS].get(charge.charge_id.encode())
        booked = decode_booked(octets) if octets is not None else None
        ledger = self._books.open_ledger(work, record, charge.account)
        words = what_is_wrong_with_charge(charge, booked, ledger.state, partitions=self._partitions)
        if words:
            bury_unbooked(work, record, Rejected(Reason.WRONG_ORDER, words))
            return False
        is_mt = charge.kind == ChargeKind.MT
        after = ledger.take_charge(charge, booked)
        if after is not None:
            self._books.note_charge(work, ledger, charge.charge_id, after)
        elif is_mt and booked is not None:  # the worker keeps the command as long again
            self._books.note_charge(work, ledger, charge.charge_id, booked)
        # The gateway may have charged less than the price: that may cover what waits.
        is_unfinished = is_mt and self._books.release_paid(work, ledger)
        self._books.close_ledger(work, ledger)
        return is_unfinished

    def _take_credit(self, work: UnitOfWork, record: ConsumerRecord, credit: AccountCredit) -> bool:
        if self._sends_on(work, record, credit.account):
            return False
        credits = work.tables[CREDIT_ROWS]
        octets = credits.get(credit.credit_id.encode())
        taken = decode_credit(octets) if octets is not None else None
        ledger = self._books.open_ledger(work, record, credit.account)
        words = what_is_wrong_with_credit(
            credit,
            taken,
            ledger.state,
            is_known=credit.account in self._books.directory.accounts or ledger.is_used,
            is_held=ledger.is_held,
        )
        if words:
            bury_unbooked(work, record, Rejected(Reason.WRONG_ORDER, words))
            return False
        if taken is None:
            self._books.enter_credit(work, ledger, credit)
        is_unfinished = self._books.release_paid(work, ledger)
        self._books.close_ledger(work, ledger)
        return is_unfinished

    def _sends_on(self, work: UnitOfWork, record: ConsumerRecord, account: str) -> bool:
        """Whether the record belongs to another partition; if so, it is published there."""
        key = account.encode()
        home = topics.partition_of(key, self._partitions)
        if home == self._partition:
            return False
        work.send(record.topic, key, record.value, partition=home)
        return True

    def _forget_booked(self, work: UnitOfWork, key: bytes, _now: datetime) -> None:
        """Nothing is said of this charge any more."""
        work.tables[BOOKED_ROWS].delete(key)
