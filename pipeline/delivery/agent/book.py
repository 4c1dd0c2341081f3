"""Enters deliveries, and takes what became of their attempts.

`pipeline/stages/delivering` decides; `deploy/decisions/0135` has the mechanism and what a crash at
each point comes to.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from pipeline.avro import single_object
from pipeline.delivery.agent.tables import (
    BEHIND_ROWS,
    COMMAND_ROWS,
    DELIVERY_ROWS,
    ORDER_ROWS,
    PLACE_ROWS,
)
from pipeline.identity import derived_id
from pipeline.kafka import topics
from pipeline.records import DeadLetter, DeliveryOutcome, DeliveryState, Reason, Stage
from pipeline.sms.msisdn import key_from_handset
from pipeline.stages.delivering import path as path_stage
from pipeline.stages.delivering.row import (
    AGAIN,
    FIRST,
    Delivery,
    Line,
    behind_key,
    behind_place_key,
    decode_delivery,
    decode_line,
    encode_delivery,
    encode_line,
    handset_begins,
    key_of_delivery,
)
from pipeline.stages.delivering.schedule import next_attempt

if TYPE_CHECKING:
    from datetime import datetime

    from pipeline.delivery.agent.lines import Lines
    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.records import MoDeliveryResult, ReplyPath


class Subject(NamedTuple):
    """What is handed on: a record, and where it stood."""

    kind: str
    subject_id: str
    handset: str
    number: str
    topic: str
    offset: int
    octets: bytes
    since: datetime


class DeliveryBook:
    """The deliveries of one partition."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def enter(self, work: UnitOfWork, path: ReplyPath, subject: Subject, now: datetime) -> None:
        """Hand something on by a path; what is open already is left as it is."""
        delivery = Delivery(
            derived_id("delivery", path.name, subject.kind, subject.subject_id),
            path.name,
            subject.kind,
            subject.subject_id,
            subject.handset,
            subject.number,
            subject.topic,
            subject.offset,
            subject.octets,
            subject.since,
        )
        key = _key_of(delivery)
        if work.tables[DELIVERY_ROWS].get(key) is not None:
            return
        if path.ordered:
            delivery = replace(delivery, is_in_order=True)
            if self._goes_behind(work, delivery):
                work.tables[DELIVERY_ROWS].put(key, encode_delivery(delivery))
                self._lines.announce(work, delivery, DeliveryState.WAITING, now)
                return
        self._lines.take_turn(work, delivery, FIRST, now)

    def settle_attempt(
        self, work: UnitOfWork, result: MoDeliveryResult, partition: int, now: datetime
    ) -> None:
        """Take what was seen of an attempt. A late word that it was delivered counts as well."""
        key = key_of_delivery(result.handset, result.path, result.delivery_id)
        octets = work.tables[DELIVERY_ROWS].get(key)
        if octets is None:
            return
        delivery = decode_delivery(octets)
        is_delivered = result.outcome == DeliveryOutcome.DELIVERED
        is_current = delivery.is_under_way and delivery.attempt == result.attempt
        if not is_current and not is_delivered:
            return
        state = self._lines.step_out(work, delivery)
        if result.outcome == DeliveryOutcome.WAITING:
            self._lines.put_back(work, delivery, state, now)
        elif is_delivered:
            self._lines.put_state(work, delivery.path, path_stage.succeeded(state), now)
            self._end(work, delivery, now)
        else:
            state = path_stage.failed(
                state,
                now,
                retry_after_seconds=result.retry_after_seconds,
                is_throttled=result.is_throttled,
            )
            self._lines.put_state(work, delivery.path, state, now)
            self._failed(work, delivery, result, partition, now)
        self._lines.serve_path(work, delivery.path, now)

    def try_again(self, work: UnitOfWork, key: bytes, now: datetime) -> None:
        """It is time for the next attempt."""
        octets = work.tables[DELIVERY_ROWS].get(key)
        if octets is not None:
            self._lines.take_turn(work, decode_delivery(octets), AGAIN, now)

    def retry(self, work: UnitOfWork, key: bytes, now: datetime) -> bool:
        """Try an open delivery now, and not at its time; False: there is no such delivery."""
        octets = work.tables[DELIVERY_ROWS].get(key)
        if octets is None:
            return False
        delivery = decode_delivery(octets)
        waits_for_its_time = not delivery.is_under_way and not delivery.line and delivery.attempt
        if waits_for_its_time:
            self._lines.take_turn(work, delivery, AGAIN, now)
        return True

    def forget_handset(self, work: UnitOfWork, handset: str, now: datetime) -> None:
        """Hand on nothing more of a handset, and keep nothing of it."""
        begins = handset_begins(handset)
        deliveries = work.tables[DELIVERY_ROWS]
        paths: set[str] = set()
        for key in deliveries.keys(begins):
            delivery = decode_delivery(deliveries.get(key) or b"")
            state = self._lines.step_out(work, delivery)
            self._lines.put_state(work, delivery.path, state, now)
            deliveries.delete(key)
            paths.add(delivery.path)
        for name in (BEHIND_ROWS, COMMAND_ROWS):
            table = work.tables[name]
            for key in table.keys(begins):
                table.delete(key)
        work.scrub(DELIVERY_ROWS, ORDER_ROWS, PLACE_ROWS, BEHIND_ROWS, COMMAND_ROWS)
        for name in sorted(paths):
            self._lines.serve_path(work, name, now)

    def _failed(
        self,
        work: UnitOfWork,
        delivery: Delivery,
        result: MoDeliveryResult,
        partition: int,
        now: datetime,
    ) -> None:
        due_at = next_attempt(delivery.attempt, now, result.retry_after_seconds)
        delivery = replace(delivery, is_under_way=False, line="", place=0)
        if due_at is not None:
            work.tables[DELIVERY_ROWS].put(
                _key_of(delivery), encode_delivery(delivery), due_at=due_at
            )
            self._lines.announce(work, delivery, DeliveryState.WAITING, now, due_at=due_at)
            return
        letter = _letter_of(delivery, result, partition, now)
        work.send(topics.DEAD_LETTER, None, single_object.encode(letter))
        self._lines.announce(work, delivery, DeliveryState.GIVEN_UP, now)
        work.once_committed(partial(self._lines.count_given_up, delivery.path))
        self._end(work, delivery, now)

    def _end(self, work: UnitOfWork, delivery: Delivery, now: datetime) -> None:
        """The delivery is over; the next of its handset takes its turn."""
        work.tables[DELIVERY_ROWS].delete(_key_of(delivery))
        if not delivery.is_in_order:
            return
        table = work.tables[BEHIND_ROWS]
        head = behind_key(delivery.handset, delivery.path)
        line = decode_line(table.get(head) or encode_line(Line()))
        if line.head == line.tail:
            table.delete(head)
            return
        at = behind_place_key(delivery.handset, delivery.path, line.head)
        following = work.tables[DELIVERY_ROWS].get(table.get(at) or b"")
        table.delete(at)
        table.put(head, encode_line(Line(line.head + 1, line.tail)))
        if following is not None:
            self._lines.take_turn(work, decode_delivery(following), FIRST, now)

    def _goes_behind(self, work: UnitOfWork, delivery: Delivery) -> bool:
        """Whether another of the handset is open; then this one waits behind it."""
        table = work.tables[BEHIND_ROWS]
        head = behind_key(delivery.handset, delivery.path)
        octets = table.get(head)
        if octets is None:
            table.put(head, encode_line(Line()))
            return False
        line = decode_line(octets)
        at = behind_place_key(delivery.handset, delivery.path, line.tail)
        table.put(at, _key_of(delivery))
        table.put(head, encode_line(Line(line.head, line.tail + 1)))
        return True


def _key_of(delivery: Delivery) -> bytes:
    return key_of_delivery(delivery.handset, delivery.path, delivery.delivery_id)


def _letter_of(
    delivery: Delivery, result: MoDeliveryResult, partition: int, now: datetime
) -> DeadLetter:
    """The dead letter of a delivery that is given up, with the record. Its id is the delivery's."""
    seen = " ".join(filter(None, (result.status, result.words))) or "no answer"
    return DeadLetter(
        dead_letter_id=delivery.delivery_id,
        topic=delivery.topic,
        partition=partition,
        offset=delivery.offset,
        key=key_from_handset(delivery.handset),
        headers=[],
        octets=delivery.octets,
        source=delivery.path,
        stage=Stage.DELIVERING,
        reason=Reason.DELIVERY_GIVEN_UP,
        words=f"{delivery.attempt} attempts by {delivery.path} failed, the last with: {seen}",
        at=now,
    )
