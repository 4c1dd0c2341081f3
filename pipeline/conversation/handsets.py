"""Reads a handset's row of the table `consents`, and writes the result of a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.avro import single_object
from pipeline.conversation.tables import CONSENTS
from pipeline.kafka import topics
from pipeline.sms.msisdn import key_from_handset
from pipeline.stages.consent import decide as consent

if TYPE_CHECKING:
    from pipeline.conversation.charges import Charges
    from pipeline.conversation.forgetting import Forgetting
    from pipeline.conversation.outbox import Outboxes
    from pipeline.engine.unit_of_work import UnitOfWork


class Held:
    """A handset's row before a decision; `row` is None if nothing is known about the handset."""

    def __init__(
        self, handset: str, key: bytes, octets: bytes | None, row: consent.HandsetConsent | None
    ) -> None:
        self.handset = handset
        self.key = key
        self.octets = octets  # None if the row was made from a suppression
        self.row = row


class Handsets:
    """Reads the row of a handset, and writes what consent or the gate decided."""

    def __init__(self, forgetting: Forgetting, outboxes: Outboxes, charges: Charges) -> None:
        self._forgetting = forgetting
        self._outboxes = outboxes
        self._charges = charges

    def read(self, work: UnitOfWork, handset: str) -> Held:
        """The handset's row, or the row made from the suppression of a forgotten handset."""
        key = key_from_handset(handset)
        octets = work.tables[CONSENTS].get(key)
        row = (
            consent.consent_from_octets(octets)
            if octets
            else self._forgetting.recall(work, handset)
        )
        return Held(handset, key, octets, row)

    def write(self, work: UnitOfWork, held: Held, decision: consent.Decision) -> None:
        """Write the row if it changed, and publish the records of the decision."""
        key = held.key
        if decision.row is None:
            work.tables[CONSENTS].delete(key)
        elif decision.row is not held.row:
            if held.row is not None and not held.octets:
                self._forgetting.remove_suppression(work, held.handset)
            octets = consent.octets_from_consent(decision.row)
            if octets != held.octets:
                due_at = consent.consent_due_at(decision.row)
                work.tables[CONSENTS].put(key, octets, due_at=due_at)
        if decision.message is not None:
            self._charges.publish_or_hold(work, key, decision.message)
        for change in decision.changes:
            work.send(topics.CONSENT_CHANGE, key, single_object.encode(change))
        if decision.changes:
            self._charges.charge_changes(work, decision.changes)
            said = decision.changes[-1].recorded_at
            self._outboxes.refuse_stopped(work, key, decision.row, said)
        if decision.commands:
            for command in decision.commands:
                work.send(topics.MT_COMMAND, key, single_object.encode(command))
            self._outboxes.add(work, key, decision.commands)
        for rejection in decision.rejections:
            work.send(topics.MT_REJECTION, key, single_object.encode(rejection))
