"""The agent `conversation`: it processes every record about a handset, in one order.

It reads the topics that `pipeline/kafka/readers.py` lists, and calls the stages one after the
other: normalise, reassemble, consent, gate. It writes what the stages decide, and contains no rule
of SMS itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

import msgspec

from pipeline.avro import single_object
from pipeline.conversation.charges import Charges
from pipeline.conversation.commands import Commands
from pipeline.conversation.directory_record import directory_from_record
from pipeline.conversation.forgetting import Forgetting
from pipeline.conversation.handsets import Handsets
from pipeline.conversation.orders import HomePartition, Orders
from pipeline.conversation.outbox import Outboxes
from pipeline.conversation.parts import Parts
from pipeline.conversation.refusals import Refusals, bury, bury_stranger
from pipeline.conversation.tables import (
    ASSEMBLIES,
    CONSENTS,
    DIRECTORY,
    OUTBOX,
    REQUESTS,
    SEEN,
    SENT,
    time_of_decision,
)
from pipeline.directory.directory import Directory
from pipeline.engine.bounded_times import TimeBounds, show_topics
from pipeline.engine.due import Due
from pipeline.identity import request_digest
from pipeline.kafka import readers, topics
from pipeline.records import (
    AccountRelease,
    Clock,
    ConsentRequest,
    Flag,
    ForgetRequest,
    MoMessage,
    MoPart,
    MoRaw,
    MtAsk,
    MtRequest,
    MtResult,
    Numbers,
    Reason,
    Record,
    Rejected,
)
from pipeline.sms.msisdn import address_from_text
from pipeline.stages.consent import decide as consent
from pipeline.stages.gate import judge as gate
from pipeline.stages.parts.normalise import normalise
from pipeline.suppression_key import key_file
from pipeline.wrong_deploy import WrongDeploy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiokafka.structs import ConsumerRecord

    from pipeline.engine.state.state import State
    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.settings import Settings


class Conversation:
    """The agent's work for one partition."""

    def __init__(self, *, partition: int, settings: Settings) -> None:
        self._home = HomePartition(partition=partition, partitions=settings.partitions)
        self._account = settings.account
        self._default_charset = settings.default_charset
        self._horizon = timedelta(hours=settings.dedupe_horizon_hours)
        self._parts = Parts(settings, closes=self._closes)
        self._consent_rules = consent.ConsentRules.from_settings(settings)
        self._gate_rules = gate.GateRules.from_settings(settings)
        self._directory = Directory.empty()
        self._forgetting = Forgetting(key_file(settings))
        self._charges = Charges(partition=partition, partitions=settings.partitions)
        self._outboxes = Outboxes(self._charges)
        self._handsets = Handsets(self._forgetting, self._outboxes, self._charges)
        self._commands = Commands(home=self._home, handsets=self._handsets, outboxes=self._outboxes)
        show_topics(readers.READ_BY[readers.CONVERSATION])
        self._times = TimeBounds(is_local=not settings.kafka)
        self._orders = Orders(
            home=self._home,
            times=self._times,
            horizon=self._horizon,
            forgetting=self._forgetting,
            handsets=self._handsets,
        )
        fall_due = {
            SEEN: self._parts.forget_seen,
            ASSEMBLIES: self._release_assembly,
            CONSENTS: self._consent_falls_due,
            REQUESTS: self._forget_request,
            OUTBOX: self._commands.fall_due,
            SENT: self._outboxes.forget_sent,
        }
        self._due = Due(self._times, fall_due, bury=bury)
        self._refusals = Refusals()
        self.refuse = self._refusals.refuse
        self._take: Mapping[str, tuple[type[Record], Callable[..., bool | None]]] = {
            topics.MO_RAW: (MoRaw, self._take_raw),
            topics.MT_REQUEST: (MtRequest, self._take_request),
            topics.MT_RESULT: (MtResult, self._take_result),
            topics.CONSENT_REQUEST: (ConsentRequest, self._take_order),
            topics.FORGET_REQUEST: (ForgetRequest, self._orders.take_forget),
            topics.MT_ASK: (MtAsk, self._commands.take_ask),
            topics.ACCOUNT_RELEASE: (AccountRelease, self._charges.take_release),
            topics.NUMBERS: (Numbers, self._take_numbers),
            topics.CLOCK: (Clock, self._due.take_tick),
        }

    def restored(self, state: State) -> None:
        """Load the directory from the state; raises `SuppressionKeyError`."""
        self._forgetting.check_key(state.tables)
        octets = state.tables[DIRECTORY].get(b"")
        try:
            self._directory = (
                directory_from_record(octets, self._account) if octets else Directory.empty()
            )
        except single_object.Unreadable as error:
            raise WrongDeploy(f"the directory in the state cannot be read: {error}") from error
        self._charges.directory = self._directory

    def process_record(self, work: UnitOfWork, record: ConsumerRecord) -> bool:
        """Process one record; True if more work is left than one unit of work may hold."""
        try:
            value = single_object.decode(record.value or b"")
        except single_object.Unreadable as error:
            bury(work, record, Rejected(Reason.UNREADABLE_RECORD, str(error)))
            return False
        kind, take = self._take[record.topic]
        if not isinstance(value, kind):
            bury_stranger(work, record, value)
            return False
        is_unfinished = take(work, record, value) is True
        self._refusals.unreadable_rows = 0
        return is_unfinished

    def _take_raw(self, work: UnitOfWork, record: ConsumerRecord, raw: MoRaw) -> None:
        received_at = self._times.believed(work, record, raw.received_at)
        is_believed = received_at is raw.received_at
        if not is_believed:
            raw = msgspec.structs.replace(raw, received_at=received_at)
        for answered in raw.answered:
            self._parts.forget_unanswered(work, answered, raw.received_at)
        part = normalise(
            raw,
            partition=record.partition,
            offset=record.offset,
            directory=self._directory,
            default_charset=self._default_charset,
        )
        if isinstance(part, MoPart):
            if not is_believed:
                flags = [*part.flags, Flag.RECEIPT_TIME_REPLACED]
                part = msgspec.structs.replace(part, flags=flags)
            account = self._directory.account_of(part.number)
            for message in self._parts.add(work, part, raw, account=account):
                self._take_message(work, message)
        elif part is not None:
            bury(work, record, part, source=raw.source, at=raw.received_at)
        else:
            self._commands.take_report(work, record, raw)

    def _release_assembly(self, work: UnitOfWork, key: bytes, now: datetime) -> None:
        for message in self._parts.release(work, key, now):
            self._take_message(work, message)

    def _take_message(self, work: UnitOfWork, message: MoMessage) -> None:
        now = time_of_decision(work, message.received_at)
        held = self._handsets.read(work, message.handset)
        decision = consent.take_message(
            held.row, message, directory=self._directory, now=now, rules=self._consent_rules
        )
        self._handsets.write(work, held, decision)

    def _closes(self, work: UnitOfWork, message: MoMessage) -> bool:
        now = time_of_decision(work, message.received_at)
        held = self._handsets.read(work, message.handset)
        return consent.take_message(
            held.row, message, directory=self._directory, now=now, rules=self._consent_rules
        ).closes

    def _take_request(self, work: UnitOfWork, record: ConsumerRecord, request: MtRequest) -> None:
        handset = address_from_text(request.to)
        if self._home.sends_on(work, record, handset):
            return
        at = self._times.believed(work, record, request.requested_at)
        if at is not request.requested_at:
            request = msgspec.structs.replace(request, requested_at=at)
        requests = work.tables[REQUESTS]
        key = request.request_id.encode()
        digest = request_digest(request)
        known = requests.get(key)
        if known == digest:
            return
        now = time_of_decision(work, request.requested_at)
        if known is None:
            requests.put(key, digest, due_at=now + self._horizon)
        held = self._handsets.read(work, handset)
        decision = gate.judge(
            held.row,
            request,
            directory=self._directory,
            now=now,
            rules=self._gate_rules,
            id_reused=known is not None,
            too_many=self._outboxes.is_full(work, held.key),
        )
        self._handsets.write(work, held, decision)

    def _take_result(self, work: UnitOfWork, record: ConsumerRecord, result: MtResult) -> None:
        self._commands.take_result(work, record, result, self._directory)

    def _take_order(
        self, work: UnitOfWork, record: ConsumerRecord, request: ConsentRequest
    ) -> None:
        self._orders.take_consent(work, record, request, self._directory)

    def _take_numbers(self, work: UnitOfWork, record: ConsumerRecord, numbers: Numbers) -> None:
        directory = directory_from_record(record.value, self._account)
        work.tables[DIRECTORY].put(b"", record.value)
        self._directory = self._charges.directory = directory

    def _forget_request(self, work: UnitOfWork, key: bytes, _now: datetime) -> None:
        work.tables[REQUESTS].delete(key)

    def _consent_falls_due(self, work: UnitOfWork, key: bytes, now: datetime) -> None:
        held = self._handsets.read(work, key.decode())
        decision = consent.fall_due(
            cast("consent.HandsetConsent", held.row),
            directory=self._directory,
            now=now,
            rules=self._consent_rules,
        )
        self._handsets.write(work, held, decision)
