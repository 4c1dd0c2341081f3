"""What operators ask for: to try a delivery now, to hand a record on anew, to forget a handset."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pipeline.avro import single_object
from pipeline.delivery.agent.book import Subject
from pipeline.delivery.agent.refusals import bury_undelivered
from pipeline.delivery.agent.tables import FORGET_ROWS
from pipeline.delivery.agent.times import time_of_delivering
from pipeline.engine.bounded_times import broker_time
from pipeline.kafka import topics
from pipeline.records import (
    ConsentChange,
    DeliveryKind,
    MoMessage,
    MoPart,
    MtRejection,
    MtState,
    Reason,
    Rejected,
)
from pipeline.sms.msisdn import address_from_text, key_from_handset
from pipeline.stages.delivering.row import key_of_delivery

if TYPE_CHECKING:
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from pipeline.delivery.agent.book import DeliveryBook
    from pipeline.delivery.agent.lines import Lines
    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.records import DeliveryRequest, Erasure, ForgetRequest, Record

#: How long to wait for the erasure that an order to forget comes to.
FORGETTING_KEPT: Final = timedelta(days=30)


class Requests:
    """Carries out what operators ask for, in the partition of the handset."""

    def __init__(
        self, lines: Lines, book: DeliveryBook, *, partition: int, partitions: int
    ) -> None:
        self._lines = lines
        self._book = book
        self._partition = partition
        self._partitions = partitions

    def take_request(
        self, work: UnitOfWork, record: ConsumerRecord, request: DeliveryRequest
    ) -> None:
        """Try an open delivery now, or enter a record anew."""
        key = key_from_handset(request.handset)
        home = topics.partition_of(key, self._partitions)
        if home != self._partition:
            work.send(record.topic, key, record.value, partition=home)
            return
        now = time_of_delivering(work, record)
        if request.octets:
            words = self._enter_again(work, record, request, now)
        else:
            row = key_of_delivery(request.handset, request.path, request.delivery_id)
            words = "" if self._book.retry(work, row, now) else "no such delivery is open"
        if words:
            bury_undelivered(work, record, Rejected(Reason.WRONG_ORDER, words))

    def note_order_to_forget(
        self, work: UnitOfWork, record: ConsumerRecord, request: ForgetRequest
    ) -> None:
        """Keep the handset until the worker has carried the order out: it may refuse it."""
        handset = key_from_handset(address_from_text(request.handset))
        if topics.partition_of(handset, self._partitions) == self._partition:
            until = time_of_delivering(work, record) + FORGETTING_KEPT
            work.tables[FORGET_ROWS].put(request.request_id.encode(), handset, due_at=until)

    def take_erasure(self, work: UnitOfWork, record: ConsumerRecord, erasure: Erasure) -> None:
        """Forget the handset of the order."""
        table = work.tables[FORGET_ROWS]
        key = erasure.request_id.encode()
        handset = table.get(key)
        if handset is not None:
            now = time_of_delivering(work, record)
            self._book.forget_handset(work, handset.decode(), now)
            table.delete(key)
            work.scrub(FORGET_ROWS)

    def forget_order(self, work: UnitOfWork, key: bytes, _now: datetime) -> None:
        """The order was refused: no erasure came of it."""
        work.tables[FORGET_ROWS].delete(key)

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
        directory, name = self._lines.directory, request.path
        path = directory.reply_path(name) if name else directory.reply_path_of(number)
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
