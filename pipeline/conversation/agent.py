"""The agent `conversation`: everything that happens to a handset, in one place and one order.

It reads mo-raw, mt-request, mt-result, consent-request, forget-request, numbers and clock of its
partition and calls the stages in a row: normalise, reassemble, consent, gate. What they decide it
writes; it knows no rule of SMS.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Final, cast

import msgspec
from aiokafka.errors import KafkaError

from pipeline.avro import single_object
from pipeline.conversation.bounded_times import TimeBounds, broker_time, show_topics
from pipeline.conversation.forgetting import Forgetting
from pipeline.conversation.handsets import Handsets
from pipeline.conversation.parts import Parts
from pipeline.conversation.tables import (
    ASSEMBLIES,
    CONSENTS,
    DIRECTORY,
    REQUESTS,
    SEEN,
    time_of_decision,
)
from pipeline.dead_letters import letter_from_record
from pipeline.directory.directory import Directory
from pipeline.engine import metrics
from pipeline.engine.bounds import UNIT_OCTETS, Oversize, RowFailed
from pipeline.kafka import topics
from pipeline.records import (
    Clock,
    ConsentRequest,
    Flag,
    ForgetRequest,
    MoMessage,
    MoRaw,
    MtRequest,
    MtResult,
    Numbers,
    Reason,
    Record,
    Rejected,
    Stage,
)
from pipeline.sms.msisdn import address_from_text, key_from_handset
from pipeline.stages.consent import decide as consent
from pipeline.stages.consent.operator import order_from_request, order_key, take_order
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

#: In rank order: at the same broker time the first is taken first.
SOURCES: Final = (
    topics.MO_RAW,
    topics.MT_REQUEST,
    topics.MT_RESULT,
    topics.CONSENT_REQUEST,
    topics.FORGET_REQUEST,
    topics.NUMBERS,
    topics.CLOCK,
)
#: Topics whose records may be deleted unread: a tick that is gone is made up for by the next.
MAY_SKIP: Final = frozenset({topics.CLOCK})

UNREADABLE_IN_A_ROW: Final = 10
#: Rows that fall due in one unit of work, of one tick: a clock may leap over a week.
DUE_AT_MOST = 4_000
#: Origin of the order to take back a time that has leapt (`twoway clock reset`).
RESET: Final = "reset"
INT_MOST: Final = (1 << 31) - 1  # an int of Avro 1.12, "Primitive Types"
_STAGES: Final = {
    topics.MT_REQUEST: Stage.GATE,
    topics.CONSENT_REQUEST: Stage.CONSENT,
    topics.FORGET_REQUEST: Stage.CONSENT,
}


@lru_cache(maxsize=4)
def _directory_from_octets(octets: bytes, account: str) -> Directory:
    """The directory of a record; the same object for every partition of this worker."""
    return Directory(cast("Numbers", single_object.decode(octets)), default_account=account)


class Conversation:
    """The agent's work for one partition."""

    def __init__(self, *, partition: int, settings: Settings) -> None:
        self._partition = partition
        self._partitions = settings.partitions
        self._account = settings.account
        self._default_charset = settings.default_charset
        self._horizon = timedelta(hours=settings.dedupe_horizon_hours)
        self._parts = Parts(settings)
        self._consent_rules = consent.ConsentRules.from_settings(settings)
        self._gate_rules = gate.GateRules.from_settings(settings)
        self._directory = Directory.empty()
        self._forgetting = Forgetting(key_file(settings))
        self._handsets = Handsets(self._forgetting)
        show_topics(SOURCES)
        self._times = TimeBounds(is_local=not settings.kafka)
        self._unreadable_rows = 0
        self._take: Mapping[str, tuple[type[Record], Callable[..., bool | None]]] = {
            topics.MO_RAW: (MoRaw, self._take_raw),
            topics.MT_REQUEST: (MtRequest, self._take_request),
            topics.MT_RESULT: (MtResult, self._take_result),
            topics.CONSENT_REQUEST: (ConsentRequest, self._take_order),
            topics.FORGET_REQUEST: (ForgetRequest, self._take_forget),
            topics.NUMBERS: (Numbers, self._take_numbers),
            topics.CLOCK: (Clock, self._take_tick),
        }
        self._due: Mapping[str, Callable[[UnitOfWork, bytes, datetime], None]] = {
            SEEN: self._parts.forget_seen,
            ASSEMBLIES: self._release_assembly,
            CONSENTS: self._consent_falls_due,
            REQUESTS: self._forget_request,
        }

    def restored(self, state: State) -> None:
        """Take up the directory the state holds; raises `SuppressionKeyError`."""
        self._forgetting.check(state.tables)
        octets = state.tables[DIRECTORY].get(b"")
        try:
            self._directory = self._read_directory(octets) if octets else Directory.empty()
        except single_object.Unreadable as error:
            raise WrongDeploy(f"the directory in the state cannot be read: {error}") from error

    def _read_directory(self, octets: bytes) -> Directory:
        return _directory_from_octets(octets, self._account)

    def take(self, work: UnitOfWork, record: ConsumerRecord) -> bool:
        """Do one record's work; True when more of it is left than one unit may hold."""
        try:
            value = single_object.decode(record.value or b"")
        except single_object.Unreadable as error:
            self._bury(work, record, Rejected(Reason.UNREADABLE_RECORD, str(error)))
            return False
        kind, take = self._take[record.topic]
        if not isinstance(value, kind):
            self._bury_stranger(work, record, value)
            return False
        is_unfinished = take(work, record, value) is True
        self._unreadable_rows = 0
        return is_unfinished

    def refuse(self, work: UnitOfWork, record: ConsumerRecord, error: Exception) -> None:
        """A record that a stage failed on goes to the dead letter, and the next is taken.

        What others write never stops a worker. Rows of our own that cannot be read, ten in a row,
        raise `WrongDeploy`.
        """
        cause = error.__cause__ if isinstance(error, RowFailed) else error
        if isinstance(cause, msgspec.MsgspecError):
            self._unreadable_rows += 1
            if self._unreadable_rows >= UNREADABLE_IN_A_ROW:
                words = f"{self._unreadable_rows} rows of the state in a row cannot be read"
                raise WrongDeploy(f"{words}: {type(cause).__name__}") from error
        else:
            self._unreadable_rows = 0
        if isinstance(error, RowFailed):
            self._set_aside(work, record, error)
            return
        reason = Reason.TOO_LARGE if isinstance(error, (Oversize, KafkaError)) else Reason.FAILED
        words = f"{type(error).__name__} while it was worked on"
        self._bury(work, record, Rejected(reason, words))

    def _set_aside(self, work: UnitOfWork, record: ConsumerRecord, failed: RowFailed) -> None:
        """Let a row fall due no more, which nothing can be done with; the next tick goes on."""
        table = work.tables[failed.table]
        octets = table.get(failed.key)
        if octets is not None:
            table.put(failed.key, octets)
        words = f"{type(failed.__cause__).__name__} as a row of {failed.table} fell due"
        self._bury(work, record, Rejected(Reason.FAILED, words))

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
        if isinstance(part, Rejected):
            self._bury(work, record, part, source=raw.source, at=raw.received_at)
        elif part is not None:
            if not is_believed:
                flags = [*part.flags, Flag.RECEIPT_TIME_REPLACED]
                part = msgspec.structs.replace(part, flags=flags)
            account = self._directory.account_of(part.number)
            for message in self._parts.take(work, part, raw, account=account):
                self._take_message(work, message)

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

    def _take_request(self, work: UnitOfWork, record: ConsumerRecord, request: MtRequest) -> None:
        handset = address_from_text(request.to)
        if self._send_home(work, record, handset):
            return
        at = self._times.believed(work, record, request.requested_at)
        if at is not request.requested_at:
            request = msgspec.structs.replace(request, requested_at=at)
        requests = work.tables[REQUESTS]
        key = request.request_id.encode()
        digest = gate.request_digest(request)
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
        )
        self._handsets.write(work, held, decision)

    def _take_result(self, work: UnitOfWork, record: ConsumerRecord, result: MtResult) -> None:
        if abs(result.attempt) > INT_MOST:
            words = "attempt is out of the range of its schema"
            self._bury(work, record, Rejected(Reason.UNREADABLE_RECORD, words))
            return
        at = self._times.believed(work, record, result.at)
        if at is not result.at:
            result = msgspec.structs.replace(result, at=at)
        now = time_of_decision(work, at)
        held = self._handsets.read(work, result.handset)
        decision = consent.take_result(
            held.row, result, directory=self._directory, now=now, rules=self._consent_rules
        )
        self._handsets.write(work, held, decision)

    def _take_order(
        self, work: UnitOfWork, record: ConsumerRecord, request: ConsentRequest
    ) -> None:
        handset = address_from_text(request.handset)
        if self._send_home(work, record, handset):
            return
        requests = work.tables[REQUESTS]
        key = order_key(request)
        if requests.get(key) is not None:
            return
        at = self._times.believed(work, record, request.requested_at)
        if at is not request.requested_at:
            request = msgspec.structs.replace(request, requested_at=at)
        order = order_from_request(request, directory=self._directory)
        if isinstance(order, Rejected):
            self._bury(work, record, order, at=request.requested_at)
            return
        requests.put(key, b"")  # for good: an import may be repeated after a year
        if order is None:
            return
        now = time_of_decision(work, request.requested_at)
        held = self._handsets.read(work, handset)
        decision = take_order(held.row, order, directory=self._directory, now=now)
        self._handsets.write(work, held, decision)

    def _take_forget(
        self, work: UnitOfWork, record: ConsumerRecord, request: ForgetRequest
    ) -> None:
        handset = address_from_text(request.handset)
        if self._send_home(work, record, handset):
            return
        requests = work.tables[REQUESTS]
        key = order_key(request)
        if requests.get(key) is not None:
            return
        at = self._times.believed(work, record, request.requested_at)
        if at is not request.requested_at:
            request = msgspec.structs.replace(request, requested_at=at)
        now = time_of_decision(work, at)
        requests.put(key, b"", due_at=now + self._horizon)
        rejected = self._forgetting.forget(work, record, request, handset=handset, now=now)
        if rejected is not None:
            self._bury(work, record, rejected, at=request.requested_at)

    def _send_home(self, work: UnitOfWork, record: ConsumerRecord, handset: str) -> bool:
        """Publish a record that belongs in another partition there; whether it did."""
        key = key_from_handset(handset)
        home = topics.partition_of(key, self._partitions)
        if home == self._partition:
            return False
        work.send(record.topic, key, record.value, partition=home)
        return True

    def _take_numbers(self, work: UnitOfWork, record: ConsumerRecord, numbers: Numbers) -> None:
        directory = self._read_directory(record.value)
        work.tables[DIRECTORY].put(b"", record.value)
        self._directory = directory

    def _take_tick(self, work: UnitOfWork, record: ConsumerRecord, tick: Clock) -> bool:
        """Let fall due what the time has come of; True when there may be more of it.

        How much is done at once is counted from the tick on, not from the unit's beginning: so it
        is the same whatever the batches are.
        """
        if tick.origin == RESET:
            self._reset_time(work, record)
            return False
        if tick.time > self._times.latest(work, record):
            metrics.TIMES_NOT_BELIEVED.labels(record.topic).inc()
            words = "the tick lies too far beyond the broker's own time"
            self._bury(work, record, Rejected(Reason.TIME_NOT_BELIEVED, words))
            return False
        if not work.advance_time(tick.time):
            return False
        left = DUE_AT_MOST
        most_octets = work.octets + UNIT_OCTETS
        for name, fall_due in self._due.items():
            table = work.tables[name]
            if not table.has_due(tick.time):
                continue
            keys = table.due(tick.time, at_most=left)
            for key in keys:
                try:
                    fall_due(work, key, tick.time)
                except Exception as error:
                    raise RowFailed(name, key) from error
                if work.octets > most_octets:
                    return True
            left -= len(keys)
            if not left:
                return True
        return False

    def _reset_time(self, work: UnitOfWork, record: ConsumerRecord) -> None:
        """Take a time back that has leapt; what fell due by it stays done. A time that has not: no.

        `deploy/decisions/0087`.
        """
        if self._times.has_leapt(work, record):
            work.turn_time_back(broker_time(record))

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

    def _bury_stranger(self, work: UnitOfWork, record: ConsumerRecord, value: Record) -> None:
        words = f"a {type(value).__name__} does not belong in {record.topic}"
        self._bury(work, record, Rejected(Reason.UNREADABLE_RECORD, words))

    @staticmethod
    def _bury(
        work: UnitOfWork,
        record: ConsumerRecord,
        rejected: Rejected,
        *,
        source: str = "",
        at: datetime | None = None,
    ) -> None:
        stage = _STAGES.get(record.topic, Stage.NORMALISE)
        letter = letter_from_record(
            record, rejected, stage=stage, source=source, at=at or work.time
        )
        metrics.DEAD_LETTERS.labels(letter.stage, letter.reason).inc()
        work.send(topics.DEAD_LETTER, None, single_object.encode(letter))
