"""What messages cost, and the messages that wait until they are paid: `account-charge`.

`pipeline/stages/account` decides. `deploy/decisions/0145` has the mechanism and the consequences of
a crash at each point. Where no account is charged, nothing is written here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.avro import single_object
from pipeline.conversation.tables import HELD_IDS, HELD_MESSAGES, time_of_decision
from pipeline.directory.directory import Directory
from pipeline.kafka import topics
from pipeline.records import AccountMode
from pipeline.stages.account.charges import charge_of_change, charge_of_message, charge_of_sent
from pipeline.stages.account.held import (
    count_from_octets,
    handset_of_line,
    held_key,
    keys_of_held_begin,
    line_key,
    message_id_of_key,
    octets_from_count,
)

if TYPE_CHECKING:
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.records import AccountCharge, AccountRelease, ConsentChange, MoMessage
    from pipeline.stages.sending.row import SentCommand


class Charges:
    """Charges the accounts for one partition, and holds messages that are not paid."""

    def __init__(self, *, partition: int, partitions: int) -> None:
        self._home = partition
        self._partitions = partitions
        self.directory = Directory.empty()

    def publish_or_hold(self, work: UnitOfWork, key: bytes, message: MoMessage) -> None:
        """Publish a message, or hold it until it is paid.

        It is held, too, behind a message of its handset that is: the mode may have changed.
        """
        directory = self.directory
        if not directory.charges and work.tables[HELD_MESSAGES].is_empty:
            work.send(topics.MO_MESSAGE, key, single_object.encode(message))
            return
        account = directory.charged_account(message.account)
        is_held = account is not None and account.mode == AccountMode.HOLD
        line = line_key(message.handset, message.account)
        waiting = work.tables[HELD_MESSAGES].get(line)
        is_held = is_held or waiting is not None
        octets = single_object.encode(message)
        if is_held:
            self._hold(work, message, octets, line, waiting)
        else:
            work.send(topics.MO_MESSAGE, key, octets)
        if is_held or account is not None:
            now = time_of_decision(work, message.received_at)
            charge = charge_of_message(
                message, directory, home=self._home, is_held=is_held, now=now
            )
            self._send(work, charge)

    def take_release(
        self, work: UnitOfWork, _record: ConsumerRecord, release: AccountRelease
    ) -> None:
        """Publish a message that is paid; one that is not here is published, or forgotten."""
        ids, held = work.tables[HELD_IDS], work.tables[HELD_MESSAGES]
        key = release.charge_id.encode()
        line = ids.get(key)
        if line is None:
            return
        ids.delete(key)
        octets = held.get(held_key(line, release.charge_id))
        if octets is not None:
            held.delete(held_key(line, release.charge_id))
            work.send(topics.MO_MESSAGE, handset_of_line(line), octets)
        left = count_from_octets(held.get(line)) - 1
        if left > 0:
            held.put(line, octets_from_count(left))
        else:
            held.delete(line)

    def charge_changes(self, work: UnitOfWork, changes: list[ConsentChange]) -> None:
        """Charge the confirmations that the gateway sent itself."""
        if self.directory.charges:
            for change in changes:
                charge = charge_of_change(change, self.directory, home=self._home)
                if charge is not None:
                    self._send(work, charge)

    def charge_sent(self, work: UnitOfWork, sent: SentCommand, now: datetime) -> None:
        """Charge a command that the gateway has taken, or has stated the charge of."""
        if self.directory.charges:
            charge = charge_of_sent(sent, self.directory, home=self._home, now=now)
            if charge is not None:
                self._send(work, charge)

    def _hold(
        self,
        work: UnitOfWork,
        message: MoMessage,
        octets: bytes,
        line: bytes,
        waiting: bytes | None,
    ) -> None:
        ids = work.tables[HELD_IDS]
        key = message.message_id.encode()
        if ids.get(key) is not None:
            return
        ids.put(key, line)
        held = work.tables[HELD_MESSAGES]
        held.put(held_key(line, message.message_id), octets)
        held.put(line, octets_from_count(count_from_octets(waiting) + 1))

    def _send(self, work: UnitOfWork, charge: AccountCharge) -> None:
        key = charge.account.encode()
        home = topics.partition_of(key, self._partitions)
        work.send(topics.ACCOUNT_CHARGE, key, single_object.encode(charge), partition=home)


def forget_held(work: UnitOfWork, handset: str) -> None:
    """Remove the ids of a handset's held messages; the messages go with the table's rows."""
    for key in work.tables[HELD_MESSAGES].keys(keys_of_held_begin(handset)):
        message_id = message_id_of_key(key)
        if message_id:
            work.tables[HELD_IDS].delete(message_id)
