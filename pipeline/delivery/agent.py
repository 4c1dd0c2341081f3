"""The agent `delivery`: enters what is to be handed on, and takes what became of it.

It reads the topics that `pipeline/kafka/readers.py` lists. It calls nobody: once a unit of work is
committed, its orders go to the executor of this process.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, cast

from pipeline.avro import single_object
from pipeline.delivery.book import DeliveryBook, Subject
from pipeline.delivery.lines import Lines
from pipeline.delivery.refusals import bury, refuse_record
from pipeline.delivery.tables import COMMANDS, DELIVERIES, FORGETTING, NUMBERS_LOADED, PATHS
from pipeline.directory.directory import Directory
from pipeline.engine.bounded_times import TimeBounds, broker_time
from pipeline.engine.due import Due
from pipeline.kafka import readers, topics
from pipeline.records import (
    Clock,
    ConsentChange,
    DeliveryKind,
    DeliveryRequest,
    Erasure,
    ForgetRequest,
    MoDeliveryResult,
    MoMessage,
    MoPart,
    MtCommand,
    MtRejection,
    MtState,
    Numbers,
    Reason,
    Record,
    Rejected,
)
from pipeline.sms.msisdn import address_from_text, key_from_handset
from pipeline.stages.delivering import routing
from pipeline.stages.delivering.row import delivery_key, handset_begins
from pipeline.wrong_deploy import WrongDeploy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from pipeline.delivery.orders import Order
    from pipeline.delivery.standings import Standings
    from pipeline.engine.state.state import State
    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.records import ReplyPath
    from pipeline.settings import Settings

UNREADABLE_IN_A_ROW: Final = 10
#: How long a command is known whose results are handed on: the gateway tells statuses for days.
COMMANDS_KEPT: Final = timedelta(days=10)
#: How long to wait for the erasure that an order to forget comes to.
FORGETTING_KEPT: Final = timedelta(days=30)


class DeliveryAgent:
    """The agent's work for one partition."""

    def __init__(
        self,
        *,
        partition: int,
        settings: Settings,
        hand_over: Callable[[Order], None],
        standings: Standings,
    ) -> None:
        self._partition = partition
        self._partitions = settings.partitions
        self._account = settings.account
        self._lines = Lines(partition=partition, hand_over=hand_over, standings=standings)
        self._book = DeliveryBook(self._lines)
        self._resumes = True
        self._unreadable = 0
        fall_due = {
            DELIVERIES: self._book.fall_due,
            PATHS: self._wake,
            COMMANDS: self._forget_command,
            FORGETTING: self._forget_order,
        }
        self._due = Due(TimeBounds(is_local=not settings.kafka), fall_due, bury=bury)
        self._take: Mapping[str, tuple[type[Record], Callable[..., bool | None]]] = {
            topics.NUMBERS: (Numbers, self._take_numbers),
            topics.MO_PART: (MoPart, self._take_part),
            topics.MO_MESSAGE: (MoMessage, self._take_message),
            topics.CONSENT_CHANGE: (ConsentChange, self._take_change),
            topics.MT_COMMAND: (MtCommand, self._take_command),
            topics.MT_REJECTION: (MtRejection, self._take_rejection),
            topics.MT_STATE: (MtState, self._take_state),
            topics.MO_DELIVERY_RESULT: (MoDeliveryResult, self._take_result),
            topics.DELIVERY_REQUEST: (DeliveryRequest, self._take_request),
            topics.FORGET_REQUEST: (ForgetRequest, self._take_forget),
            topics.ERASURE: (Erasure, self._take_erasure),
            topics.CLOCK: (Clock, self._take_tick),
        }

    def restored(self, state: State) -> None:
        """Take up the directory; what was under way is handed over again at the next tick.

        The next tick is taken behind every result that was written before it.
        """
        self._resumes = True
        octets = state.tables[NUMBERS_LOADED].get(b"")
        try:
            self._lines.directory = self._directory_of(octets) if octets else Directory.empty()
        except single_object.Unreadable as error:
            raise WrongDeploy(f"the directory in the state cannot be read: {error}") from error
        for name in state.tables[PATHS].keys(b""):
            self._lines.show(state.tables[PATHS], name.decode())

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
        self._unreadable = 0
        return take(work, record, value) is True

    def refuse(self, work: UnitOfWork, record: ConsumerRecord, error: Exception) -> None:
        """Write a record on which the agent failed to the dead letters."""
        refuse_record(work, record, error)

    def _not_read(self, work: UnitOfWork, record: ConsumerRecord, words: str) -> None:
        """What others write and the worker reads too is in the dead letters already."""
        if record.topic in readers.OURS_ALONE:
            self._unreadable += 1
            if self._unreadable >= UNREADABLE_IN_A_ROW:
                raise WrongDeploy(f"{self._unreadable} records in a row cannot be read: {words}")
        elif record.topic != topics.DELIVERY_REQUEST:
            return
        bury(work, record, Rejected(Reason.UNREADABLE_RECORD, words))

    def _directory_of(self, octets: bytes) -> Directory:
        numbers = cast("Numbers", single_object.decode(octets))
        return Directory(numbers, default_account=self._account)

    def _take_numbers(self, work: UnitOfWork, record: ConsumerRecord, numbers: Numbers) -> None:
        work.tables[NUMBERS_LOADED].put(b"", record.value)
        before = self._lines.directory
        self._lines.directory = Directory(numbers, default_account=self._account)
        now = time_of(work, record)
        names = [key.decode() for key in work.tables[PATHS].keys(b"")]
        self._lines.resume(work, but_not_of=[n for n in names if before.reply_path(n) is not None])
        for name in names:
            self._lines.serve(work, name, now)

    def _take_part(self, work: UnitOfWork, record: ConsumerRecord, part: MoPart) -> None:
        path = routing.path_of_unit(self._lines.directory, part.number, routing.PART)
        if path is not None:
            self._enter(work, record, path, DeliveryKind.PART, part.part_id, part.number)

    def _take_message(self, work: UnitOfWork, record: ConsumerRecord, message: MoMessage) -> None:
        path = routing.path_of_unit(self._lines.directory, message.number, routing.MESSAGE)
        if path is not None:
            kind = DeliveryKind.MESSAGE
            self._enter(work, record, path, kind, message.message_id, message.number)

    def _take_change(self, work: UnitOfWork, record: ConsumerRecord, change: ConsentChange) -> None:
        for path in routing.paths_of_change(self._lines.directory, change):
            self._enter(work, record, path, DeliveryKind.CONSENT, change.change_id, change.number)

    def _take_command(self, work: UnitOfWork, record: ConsumerRecord, command: MtCommand) -> None:
        if routing.path_of_results(self._lines.directory, command.sender_id) is not None:
            key = handset_begins(command.handset) + command.command_id.encode()
            until = time_of(work, record) + COMMANDS_KEPT
            work.tables[COMMANDS].put(key, command.sender_id.encode(), due_at=until)

    def _take_state(self, work: UnitOfWork, record: ConsumerRecord, state: MtState) -> None:
        if state.state not in routing.TOLD or work.tables[COMMANDS].is_empty:
            return
        key = handset_begins(state.handset) + state.command_id.encode()
        sender_id = (work.tables[COMMANDS].get(key) or b"").decode()
        path = routing.path_of_results(self._lines.directory, sender_id) if sender_id else None
        if path is not None:
            self._enter(work, record, path, DeliveryKind.RESULT, state.state_id, sender_id)

    def _take_rejection(
        self, work: UnitOfWork, record: ConsumerRecord, rejection: MtRejection
    ) -> None:
        """A request that became no command; of a command, `mt-state` tells it."""
        path = routing.path_of_results(self._lines.directory, rejection.sender_id)
        if path is not None and not rejection.command_id:
            kind, sender_id = DeliveryKind.RESULT, rejection.sender_id
            self._enter(work, record, path, kind, rejection.rejection_id, sender_id)

    def _enter(
        self,
        work: UnitOfWork,
        record: ConsumerRecord,
        path: ReplyPath,
        kind: DeliveryKind,
        subject_id: str,
        number: str,
    ) -> None:
        subject = Subject(
            kind=kind.value,
            subject_id=subject_id,
            handset=(record.key or b"").decode(errors="replace"),
            number=number,
            topic=record.topic,
            offset=record.offset,
            octets=record.value,
            since=broker_time(record),
        )
        self._book.enter(work, path, subject, time_of(work, record))

    def _take_result(
        self, work: UnitOfWork, record: ConsumerRecord, result: MoDeliveryResult
    ) -> None:
        self._book.take_result(work, result, self._partition, time_of(work, record))

    def _take_request(
        self, work: UnitOfWork, record: ConsumerRecord, request: DeliveryRequest
    ) -> None:
        """Try an open delivery now, or enter a record anew."""
        key = key_from_handset(request.handset)
        home = topics.partition_of(key, self._partitions)
        if home != self._partition:
            work.send(record.topic, key, record.value, partition=home)
            return
        now = time_of(work, record)
        if not request.octets:
            row = delivery_key(request.handset, request.path, request.delivery_id)
            if not self._book.retry(work, row, now):
                bury(work, record, Rejected(Reason.WRONG_ORDER, "no such delivery is open"))
            return
        words = self._enter_again(work, record, request, now)
        if words:
            bury(work, record, Rejected(Reason.WRONG_ORDER, words))

    def _enter_again(
        self, work: UnitOfWork, record: ConsumerRecord, request: DeliveryRequest, now: datetime
    ) -> str:
        """Enter the record of a request; returns why that cannot be, or nothing."""
        try:
            value = single_object.decode(request.octets)
        except single_object.Unreadable as error:
            return str(error)
        found = _what_is_handed_on(value)
        if found is None or found[2] != request.handset:
            return f"a {type(value).__name__} of this handset is not handed on"
        kind, subject_id, handset, number = found
        directory = self._lines.directory
        path = directory.reply_path(request.path) if request.path else directory.reply_path_of(number)
        if path is None:
            return "there is no such reply path"
        subject = Subject(
            kind=kind.value,
            subject_id=subject_id,
            handset=handset,
            number=number,
            topic=request.topic,
            offset=record.offset,
            octets=request.octets,
            since=broker_time(record),
        )
        self._book.enter(work, path, subject, now)
        return ""

    def _take_forget(self, work: UnitOfWork, record: ConsumerRecord, request: ForgetRequest) -> None:
        """Keep the handset until the worker has carried the order out: it may refuse it."""
        handset = key_from_handset(address_from_text(request.handset))
        if topics.partition_of(handset, self._partitions) == self._partition:
            until = time_of(work, record) + FORGETTING_KEPT
            work.tables[FORGETTING].put(request.request_id.encode(), handset, due_at=until)

    def _take_erasure(self, work: UnitOfWork, record: ConsumerRecord, erasure: Erasure) -> None:
        table = work.tables[FORGETTING]
        key = erasure.request_id.encode()
        handset = table.get(key)
        if handset is not None:
            self._book.forget(work, handset.decode(), time_of(work, record))
            table.delete(key)
            work.scrub(FORGETTING)

    def _take_tick(self, work: UnitOfWork, record: ConsumerRecord, tick: Clock) -> bool:
        if self._resumes:
            self._resumes = False
            self._lines.resume(work)
        return self._due.take_tick(work, record, tick)

    def _wake(self, work: UnitOfWork, key: bytes, now: datetime) -> None:
        self._lines.serve(work, key.decode(), now)

    def _forget_command(self, work: UnitOfWork, key: bytes, _now: datetime) -> None:
        work.tables[COMMANDS].delete(key)

    def _forget_order(self, work: UnitOfWork, key: bytes, _now: datetime) -> None:
        work.tables[FORGETTING].delete(key)


def time_of(work: UnitOfWork, record: ConsumerRecord) -> datetime:
    """The broker's time of the record, or the partition's if that is later."""
    stamped = broker_time(record)
    return stamped if work.time is None or stamped > work.time else work.time


def _what_is_handed_on(value: Record) -> tuple[DeliveryKind, str, str, str] | None:
    """Kind, id, handset and number of a record that may be handed on."""
    if isinstance(value, MoMessage):
        return DeliveryKind.MESSAGE, value.message_id, value.handset, value.number
    if isinstance(value, MoPart):
        return DeliveryKind.PART, value.part_id, value.handset, value.number
    if isinstance(value, ConsentChange):
        return DeliveryKind.CONSENT, value.change_id, value.handset, value.number
    if isinstance(value, MtState):
        return DeliveryKind.RESULT, value.state_id, value.handset, ""
    if isinstance(value, MtRejection):
        return DeliveryKind.RESULT, value.rejection_id, value.handset, value.sender_id
    return None
