"""Opens an account's ledger for one record, and writes what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from pipeline.accounts import metrics
from pipeline.accounts.tables import ACCOUNT_ROWS, BOOKED_ROWS, CREDIT_ROWS, WAITING_ROWS
from pipeline.avro import single_object
from pipeline.directory.directory import Directory
from pipeline.engine.bounded_times import broker_time
from pipeline.kafka import topics
from pipeline.records import ChargeKind
from pipeline.stages.account.ledger import RELEASES_AT_MOST, Ledger
from pipeline.stages.account.row import (
    BOOKED_KEPT,
    Booked,
    TakenCredit,
    WaitingCharge,
    decode_state,
    decode_waiting,
    encode_row,
    waiting_key,
)

if TYPE_CHECKING:
    from aiokafka.structs import ConsumerRecord

    from pipeline.accounts.balances import Balances
    from pipeline.engine.state.tables import Table
    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.records import AccountCredit


class Books:
    """The ledgers of one partition."""

    def __init__(self, *, partition: int, balances: Balances) -> None:
        self._partition = partition
        self._balances = balances
        self.directory = Directory.empty()

    def open_ledger(self, work: UnitOfWork, record: ConsumerRecord, name: str) -> Ledger:
        """An account's ledger; what is booked in it has the broker's time, or the partition's."""
        stamped = broker_time(record)
        now = stamped if work.time is None or stamped > work.time else work.time
        state = decode_state(work.tables[ACCOUNT_ROWS].get(name.encode()))
        return Ledger(name, state, self.directory.charged_account(name), now=now)

    def note_charge(self, work: UnitOfWork, ledger: Ledger, charge_id: str, booked: Booked) -> None:
        """Keep what was charged; of what waits, until it has been released."""
        due_at = None if ledger.queued else ledger.now + BOOKED_KEPT
        work.tables[BOOKED_ROWS].put(charge_id.encode(), encode_row(booked), due_at=due_at)

    def enter_credit(self, work: UnitOfWork, ledger: Ledger, credit: AccountCredit) -> None:
        """Take a credit that was not taken before. Its id is kept for good."""
        ledger.take_credit(credit)
        row = TakenCredit(credit.account, credit.kind, credit.units)
        work.tables[CREDIT_ROWS].put(credit.credit_id.encode(), encode_row(row))

    def release_paid(
        self, work: UnitOfWork, ledger: Ledger, *, at_most: int = RELEASES_AT_MOST
    ) -> bool:
        """Release what is covered; True if more may be than one unit of work should hold."""
        waiting = work.tables[WAITING_ROWS]

        def charge_at(place: int) -> WaitingCharge:
            return decode_waiting(cast("bytes", waiting.get(waiting_key(ledger.name, place))))

        return ledger.release_covered(charge_at, at_most=at_most)

    def close_ledger(self, work: UnitOfWork, ledger: Ledger) -> None:
        """Write the account's rows, and publish what was booked and released."""
        if not ledger.entries and not ledger.queued:
            return
        name, state = ledger.name, ledger.state
        key = name.encode()
        work.tables[ACCOUNT_ROWS].put(key, encode_row(state))
        waiting, booked = work.tables[WAITING_ROWS], work.tables[BOOKED_ROWS]
        for place, charge in ledger.queued:
            waiting.put(waiting_key(name, place), encode_row(charge))
        for place, charge in ledger.taken:
            waiting.delete(waiting_key(name, place))
            row = encode_row(Booked(name, ChargeKind.MO.value, charge.units))
            booked.put(charge.charge_id.encode(), row, due_at=ledger.now + BOOKED_KEPT)
        for entry in ledger.entries:
            work.send(topics.ACCOUNT_ENTRY, key, single_object.encode(entry))
        for home, release in ledger.releases:
            octets = single_object.encode(release)
            work.send(topics.ACCOUNT_RELEASE, None, octets, partition=home)
        for notice in ledger.notices:
            work.send(topics.ACCOUNT_NOTICE, key, single_object.encode(notice))
            work.once_committed(metrics.NOTICES.labels(name).inc)
        self._balances.note(self._partition, name, state)

    def show_restored(self, accounts: Table) -> None:
        """Show how the accounts stand after a restore."""
        for key in accounts.keys(b""):
            state = decode_state(accounts.get(key))
            self._balances.note(self._partition, key.decode(), state)
