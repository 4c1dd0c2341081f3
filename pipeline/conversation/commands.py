"""The reports of senders and the gateway on commands, and their consequences for consent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.conversation.refusals import bury
from pipeline.conversation.tables import time_of_sending
from pipeline.engine import metrics
from pipeline.records import MoRaw, MtAsk, MtResult, Outcome, Reason, Rejected
from pipeline.stages.consent import decide as consent
from pipeline.wire.status import status_report_of

if TYPE_CHECKING:
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from pipeline.conversation.handsets import Handsets
    from pipeline.conversation.orders import HomePartition
    from pipeline.conversation.outbox import Outboxes
    from pipeline.directory.directory import Directory
    from pipeline.engine.unit_of_work import UnitOfWork

_OUTCOMES: Final = tuple(outcome.value for outcome in Outcome)
INT_MOST: Final = (1 << 31) - 1  # an int of Avro 1.12, "Primitive Types"


class Commands:
    """Commands from the decision until nothing more is reported about them."""

    def __init__(self, *, home: HomePartition, handsets: Handsets, outboxes: Outboxes) -> None:
        self._home = home
        self._handsets = handsets
        self._outboxes = outboxes

    def take_ask(self, work: UnitOfWork, record: ConsumerRecord, ask: MtAsk) -> None:
        """Answer a sender that asks for an attempt."""
        if not self._home.sends_on(work, record, ask.handset):
            held = self._handsets.read(work, ask.handset)
            self._outboxes.answer_ask(work, record, ask, held.row)

    def take_result(
        self,
        work: UnitOfWork,
        record: ConsumerRecord,
        result: MtResult,
        directory: Directory,
    ) -> None:
        """Enter what a sender saw; a failure for good concerns consent, too."""
        if self._home.sends_on(work, record, result.handset):
            return
        if abs(result.attempt) > INT_MOST:
            words = "attempt is out of the range of its schema"
            bury(work, record, Rejected(Reason.UNREADABLE_RECORD, words))
            return
        if result.outcome not in _OUTCOMES:
            words = f"the outcome is none of {', '.join(_OUTCOMES)}"
            bury(work, record, Rejected(Reason.UNREADABLE_RECORD, words))
            return
        held = self._handsets.read(work, result.handset)
        sending = self._outboxes.enter_result(work, record, result, held.row)
        now = time_of_sending(work, record)
        if sending is None:  # of a command that is not here, such as one of an earlier release
            if result.final and result.outcome == Outcome.FAILED:
                self._follow_failure(work, result.handset, result.command_id, directory, now)
            return
        for command in sending.failed:
            self._follow_failure(work, command.handset, command.command_id, directory, now)
        for command in sending.blocked:
            held = self._handsets.read(work, command.handset)
            decision = consent.take_gateway_block(
                held.row,
                command.handset,
                command.scopes,
                sender_id=command.sender_id,
                directory=directory,
                now=now,
            )
            self._handsets.write(work, held, decision)

    def _follow_failure(
        self,
        work: UnitOfWork,
        handset: str,
        command_id: str,
        directory: Directory,
        now: datetime,
    ) -> None:
        held = self._handsets.read(work, handset)
        decision = consent.take_failure(held.row, command_id, directory=directory, now=now)
        self._handsets.write(work, held, decision)

    def take_report(self, work: UnitOfWork, record: ConsumerRecord, raw: MoRaw) -> None:
        """Enter the gateway's report on a command; a mere test of the URL changes nothing."""
        report = status_report_of(raw)
        if isinstance(report, Rejected):
            bury(work, record, report, source=raw.source, at=raw.received_at)
        elif report is not None:
            handset = report.handset or (record.key or b"").decode("ascii", "replace")
            is_known = self._outboxes.enter_report(work, record, handset, report)
            metrics.STATUSES_HEARD.labels(raw.source, "known" if is_known else "unknown").inc()

    def fall_due(self, work: UnitOfWork, key: bytes, now: datetime) -> None:
        """Let the open commands of a handset fall due."""
        self._outboxes.let_fall_due(work, key, now, self._consent_of)

    def _consent_of(self, work: UnitOfWork, handset: str) -> consent.HandsetConsent | None:
        return self._handsets.read(work, handset).row
