"""Commands on their way out: the tables `outbox` and `sent`, and the records about them.

Only this module writes `mt-state`. `pipeline/stages/sending` decides. `deploy/decisions/0117` has
the mechanism and the consequences of a crash at each point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pipeline.avro import single_object
from pipeline.conversation.tables import OUTBOX, SENT
from pipeline.credits import units_from_text
from pipeline.engine.bounded_times import broker_time
from pipeline.kafka import topics
from pipeline.records import SeenBy
from pipeline.sms.msisdn import is_international, key_from_handset
from pipeline.stages.sending import due
from pipeline.stages.sending.asks import take_ask
from pipeline.stages.sending.draft import Sending, SendingDraft
from pipeline.stages.sending.results import take_result
from pipeline.stages.sending.row import (
    OPEN_AT_MOST,
    SENT_KEPT,
    HeardStatus,
    Outbox,
    SentCommand,
    decode_outbox,
    decode_sent,
    decode_status,
    encode_outbox,
    encode_sent,
    encode_status,
    gateway_id_keys,
    open_command,
    sent_key,
)
from pipeline.stages.sending.rules import SendingRules
from pipeline.stages.sending.statuses import take_status
from pipeline.wire.clickatell.codes import status_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.records import MtAsk, MtCommand, MtResult
    from pipeline.stages.consent.row import HandsetConsent
    from pipeline.wire.status import StatusReport

#: A row with fewer octets holds fewer than `OPEN_AT_MOST` commands: each has two ids of 32.
_SURELY_ROOM: Final = OPEN_AT_MOST * 64
#: What a row of a gateway's id begins with: the command behind it, or a status that came first.
_COMMAND: Final = b"c"
_STATUS: Final = b"s"


def time_of_sending(work: UnitOfWork, record: ConsumerRecord) -> datetime:
    """The broker's time of the record, or the partition's if later; no sender's clock counts."""
    stamped = broker_time(record)
    return stamped if work.time is None or stamped > work.time else work.time


class Outboxes:
    """The open commands and the sent commands, by handset."""

    def __init__(self, rules: SendingRules | None = None) -> None:
        self._rules = rules or SendingRules()

    def add(self, work: UnitOfWork, key: bytes, commands: list[MtCommand]) -> None:
        """Enter commands that were just decided."""
        outbox = self._read(work, key)
        if outbox is None and len(commands) == 1:
            self._put(work, key, Outbox([open_command(commands[0])]))
            return
        cause = f"command {commands[0].command_id}"
        draft = SendingDraft(outbox, None, now=commands[0].at, cause=cause)
        for command in commands:
            draft.add(open_command(command))
        self._write(work, key, draft)

    def is_full(self, work: UnitOfWork, key: bytes) -> bool:
        """Whether the handset has the most open commands that it may have."""
        octets = work.tables[OUTBOX].get(key)
        if octets is None or len(octets) < _SURELY_ROOM:
            return False
        return len(decode_outbox(octets).commands) >= OPEN_AT_MOST

    def refuse_stopped(
        self, work: UnitOfWork, key: bytes, consent: HandsetConsent | None, now: datetime
    ) -> None:
        """Consent has changed: refuse the waiting commands that may no longer be sent."""
        outbox = self._read(work, key)
        if outbox is None:
            return
        stopped = due.stopped_commands(outbox, consent, now)
        if stopped:
            draft = SendingDraft(outbox, consent, now=now, cause=f"consent {now.isoformat()}")
            for command, rejection in stopped:
                draft.refuse(command, rejection, SeenBy.STOP)
            self._write(work, key, draft)

    def answer_ask(
        self, work: UnitOfWork, record: ConsumerRecord, ask: MtAsk, consent: HandsetConsent | None
    ) -> None:
        """Answer a sender's ask."""
        key = key_from_handset(ask.handset)
        draft = self._draft(work, record, key, consent)
        sent = None if draft.find(ask.command_id) else self._sent(work, ask.handset, ask.command_id)
        take_ask(draft, ask, sent, self._rules)
        self._write(work, key, draft)

    def enter_result(
        self,
        work: UnitOfWork,
        record: ConsumerRecord,
        result: MtResult,
        consent: HandsetConsent | None,
    ) -> Sending | None:
        """Enter a result; None if its command is not here."""
        key = key_from_handset(result.handset)
        draft = self._draft(work, record, key, consent)
        sent = None
        if draft.find(result.command_id) is None:
            sent = self._sent(work, result.handset, result.command_id)
            if sent is None:
                return None
        take_result(draft, result, sent, self._rules)
        return self._write(work, key, draft)

    def enter_report(
        self, work: UnitOfWork, record: ConsumerRecord, handset: str, report: StatusReport
    ) -> bool:
        """Enter a status; False if the command that it is about is not known.

        A receipt by SMPP names no command. A receipt that comes before the command's result waits
        under the gateway's id.
        """
        status = HeardStatus(
            report.gateway_message_id,
            report.status,
            report.words or (report.status and status_of(report.status).words),
            report.charge,
            units_from_text(report.charge) or 0,
        )
        key = key_from_handset(handset)
        draft = self._draft(work, record, key, None)
        sent = None
        command_id = report.command_id or self._command_behind(work, handset, status)
        if draft.find(command_id) is None:
            sent = self._sent(work, handset, command_id) if command_id else None
            if sent is None:
                self._keep_early(work, handset, status, draft.now)
                return False
        take_status(draft, command_id, status, sent, SeenBy(report.source))
        self._write(work, key, draft)
        return True

    def let_fall_due(
        self,
        work: UnitOfWork,
        key: bytes,
        now: datetime,
        consent_of: Callable[[UnitOfWork, str], HandsetConsent | None],
    ) -> None:
        """Let commands expire and permits lapse; have the gateway asked about unknown commands."""
        outbox = self._read(work, key)
        consent = consent_of(work, key.decode())
        draft = SendingDraft(outbox, consent, now=now, cause=f"tick {now.isoformat()}")
        due.commands_fall_due(draft, self._rules)
        self._write(work, key, draft)

    def forget_sent(self, work: UnitOfWork, key: bytes, _now: datetime) -> None:
        """Forget a command that was sent long ago, or one of its ids."""
        work.tables[SENT].delete(key)

    def _draft(
        self,
        work: UnitOfWork,
        record: ConsumerRecord,
        key: bytes,
        consent: HandsetConsent | None,
    ) -> SendingDraft:
        cause = f"{record.topic}/{record.partition}/{record.offset}"
        now = time_of_sending(work, record)
        return SendingDraft(self._read(work, key), consent, now=now, cause=cause)

    def _read(self, work: UnitOfWork, key: bytes) -> Outbox | None:
        octets = work.tables[OUTBOX].get(key)
        return None if octets is None else decode_outbox(octets)

    def _sent(self, work: UnitOfWork, handset: str, command_id: str) -> SentCommand | None:
        octets = work.tables[SENT].get(sent_key(handset, command_id))
        return None if octets is None else decode_sent(octets)

    def _command_behind(self, work: UnitOfWork, handset: str, status: HeardStatus) -> str:
        if not status.gateway_message_id:
            return ""
        for key in gateway_id_keys(handset, status.gateway_message_id):
            row = work.tables[SENT].get(key) or b""
            if row.startswith(_COMMAND):
                return row[1:].decode()
        return ""

    def _keep_early(
        self, work: UnitOfWork, handset: str, status: HeardStatus, now: datetime
    ) -> None:
        if status.gateway_message_id and is_international(handset):  # no command goes elsewhere
            key = gateway_id_keys(handset, status.gateway_message_id)[0]
            row = _STATUS + encode_status(status)
            work.tables[SENT].put(key, row, due_at=now + SENT_KEPT)

    def _write(self, work: UnitOfWork, key: bytes, draft: SendingDraft) -> Sending:
        """Write the rows, enter statuses that came early, and publish."""
        for sent in list(draft.sent.values()):
            self._join_early(work, draft, sent)
        sending = draft.decide()
        self._put(work, key, sending.outbox)
        for row in sending.sent:
            self._put_sent(work, row, draft.now)
        for rejection in sending.rejections:
            work.send(topics.MT_REJECTION, key, single_object.encode(rejection))
        for state in sending.states:
            work.send(topics.MT_STATE, key, single_object.encode(state))
        return sending

    def _join_early(self, work: UnitOfWork, draft: SendingDraft, sent: SentCommand) -> None:
        """Enter the statuses that came before their command was known."""
        keys = [key for each in sent.ids if each for key in gateway_id_keys(sent.handset, each)]
        for key in keys:
            row = work.tables[SENT].get(key) or b""
            if row.startswith(_STATUS):
                latest = draft.sent[sent.command_id]
                status = decode_status(row[1:])
                take_status(draft, sent.command_id, status, latest, SeenBy.RECEIPT)

    def _put(self, work: UnitOfWork, key: bytes, outbox: Outbox) -> None:
        table = work.tables[OUTBOX]
        if not outbox.commands:
            table.delete(key)
            return
        table.put(key, encode_outbox(outbox), due_at=due.due_at(outbox, self._rules))

    def _put_sent(self, work: UnitOfWork, row: SentCommand, now: datetime) -> None:
        table, until = work.tables[SENT], now + SENT_KEPT
        table.put(sent_key(row.handset, row.command_id), encode_sent(row), due_at=until)
        for gateway_id in row.ids:
            if gateway_id:
                key = gateway_id_keys(row.handset, gateway_id)[0]
                table.put(key, _COMMAND + row.command_id.encode(), due_at=until)
