"""The ledger of one account during one decision: its state goes in, entries and releases come out.

First in, first out: once one charge is not covered, all that come later wait behind it, so that
cheap messages do not overtake, and a handset's messages keep their order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.identity import derived_id
from pipeline.records import (
    AccountCharge,
    AccountCredit,
    AccountEntry,
    AccountMode,
    AccountNotice,
    AccountRelease,
    ChargeKind,
    CreditKind,
    EntryKind,
)
from pipeline.stages.account.row import AccountState, Booked, WaitingCharge

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from pipeline.records import AccountTerms

#: A balance stays within this; a long holds twice as much.
MOST_BALANCE: Final = 2**62
#: The most releases of one decision.
RELEASES_AT_MOST: Final = 4_000


class Ledger:
    """An account's ledger. `account` is None where the directory does not list it, or it is off."""

    def __init__(
        self, name: str, state: AccountState, account: AccountTerms | None, *, now: datetime
    ) -> None:
        self.name = name
        self._account = account
        self.now = now
        self._balance = state.balance
        self._sequence = state.sequence
        self._head = state.head
        self._tail = state.tail
        self._waiting_units = state.waiting_units
        self._is_armed = state.is_armed
        self.entries: list[AccountEntry] = []
        self.releases: list[tuple[int, AccountRelease]] = []  # each with its partition
        self.notices: list[AccountNotice] = []
        self.queued: list[tuple[int, WaitingCharge]] = []  # each with its place
        self.taken: list[tuple[int, WaitingCharge]] = []  # those that wait no longer

    @property
    def state(self) -> AccountState:
        """How the account stands now."""
        return AccountState(
            balance=self._balance,
            sequence=self._sequence,
            head=self._head,
            tail=self._tail,
            waiting_units=self._waiting_units,
            is_armed=self._is_armed,
        )

    @property
    def is_waiting(self) -> bool:
        """Whether any charge waits."""
        return self._head < self._tail

    @property
    def is_used(self) -> bool:
        """Whether anything was booked in it, or waits."""
        return self._sequence > 0 or self._tail > 0

    @property
    def is_held(self) -> bool:
        """Whether messages of the account wait until they are paid."""
        return self._account is not None and self._account.mode == AccountMode.HOLD

    def take_charge(self, charge: AccountCharge, booked: Booked | None) -> Booked | None:
        """Book a charge, or let it wait; what is booked of it then, None if nothing changed.

        `booked` is what is known of a charge with this id.
        """
        if booked is None:
            if charge.is_held:
                self._hold(charge)
            else:
                self._book_charge(charge, charge.kind, -charge.units)
            return Booked(self.name, charge.kind, charge.units)
        if not charge.is_stated or charge.units == booked.units:
            return None
        self._book_charge(charge, EntryKind.MT_CORRECTION.value, booked.units - charge.units)
        return msgspec.structs.replace(booked, units=charge.units)

    def take_credit(self, credit: AccountCredit) -> None:
        """Raise or correct the balance."""
        is_credit = credit.kind == CreditKind.CREDIT
        self._book(
            EntryKind.CREDIT.value if is_credit else EntryKind.CORRECTION.value,
            credit.units,
            reference=credit.credit_id,
            charged_at=credit.requested_at,
            actor=credit.actor,
            reason=credit.reason,
        )

    def release_covered(
        self, waiting: Callable[[int], WaitingCharge], *, at_most: int = RELEASES_AT_MOST
    ) -> bool:
        """Release what is covered, from the head of the queue; True if more may be.

        Of an account that holds nothing any more, all is released.
        """
        left = at_most
        while self._head < self._tail:
            if not left:
                return True
            charge = waiting(self._head)
            if not self._covers(charge.units):
                return False
            self.taken.append((self._head, charge))
            self._head += 1
            self._waiting_units -= charge.units
            self._release(charge)
            left -= 1
        return False

    def _hold(self, charge: AccountCharge) -> None:
        waiting = WaitingCharge(
            charge.charge_id, charge.units, charge.number, charge.parts, charge.home, charge.at
        )
        if not self.is_waiting and self._covers(charge.units):
            self._release(waiting)
            return
        self.queued.append((self._tail, waiting))
        self._tail += 1
        self._waiting_units += charge.units

    def _covers(self, units: int) -> bool:
        return not units or units <= self._balance or not self.is_held

    def _release(self, charge: WaitingCharge) -> None:
        entry = self._book(
            ChargeKind.MO.value,
            -charge.units,
            reference=charge.charge_id,
            charged_at=charge.at,
            number=charge.number,
            parts=charge.parts,
        )
        release = AccountRelease(
            charge_id=charge.charge_id, account=self.name, entry_id=entry.entry_id, at=self.now
        )
        self.releases.append((charge.home, release))

    def _book_charge(self, charge: AccountCharge, kind: str, units: int) -> None:
        self._book(
            kind,
            units,
            reference=charge.charge_id,
            charged_at=charge.at,
            number=charge.number,
            parts=charge.parts,
        )

    def _book(
        self,
        kind: str,
        units: int,
        *,
        reference: str,
        charged_at: datetime,
        number: str = "",
        parts: int = 0,
        actor: str = "",
        reason: str = "",
    ) -> AccountEntry:
        self._sequence += 1
        self._balance += units
        entry = AccountEntry(
            entry_id=derived_id("account-entry", self.name, str(self._sequence)),
            account=self.name,
            sequence=self._sequence,
            kind=kind,
            units=units,
            balance=self._balance,
            reference=reference,
            number=number,
            parts=parts,
            charged_at=charged_at,
            at=self.now,
            actor=actor,
            reason=reason,
        )
        self.entries.append(entry)
        self._watch_balance(fell=units < 0)
        return entry

    def _watch_balance(self, *, fell: bool) -> None:
        """Give a notice when the balance passes below the bound; once until it is above again."""
        bound = self._account.notify_below_units if self._account is not None else None
        if bound is None:
            return
        if self._balance >= bound:
            self._is_armed = True
        elif fell and self._is_armed:
            self._is_armed = False
            self.notices.append(
                AccountNotice(
                    notice_id=derived_id("account-notice", self.name, str(self._sequence)),
                    account=self.name,
                    balance=self._balance,
                    notify_below=bound,
                    sequence=self._sequence,
                    at=self.now,
                )
            )
