"""The queues of the reply paths: which deliveries wait, and which the executor gets next."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from pipeline.avro import single_object
from pipeline.delivery.agent.tables import DELIVERY_ROWS, ORDER_ROWS, PATH_ROWS, PLACE_ROWS
from pipeline.delivery.orders import DeliveryOrder
from pipeline.directory.directory import Directory
from pipeline.kafka import topics
from pipeline.process.tracing import carried
from pipeline.records import DeliveryState, MoDelivery
from pipeline.sms.msisdn import key_from_handset
from pipeline.stages.delivering import path as path_stage
from pipeline.stages.delivering.row import (
    AGAIN,
    FIRST,
    Delivery,
    PathState,
    decode_delivery,
    decode_path,
    encode_delivery,
    encode_path,
    key_of_delivery,
    place_key,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from pipeline.delivery.agent.standings import Standings
    from pipeline.engine.state.tables import Table
    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.records import ReplyPath


class Lines:
    """The queues of one partition; `hand_over` gives an order to the executor."""

    def __init__(
        self, *, partition: int, hand_over: Callable[[DeliveryOrder], None], standings: Standings
    ) -> None:
        self._partition = partition
        self._hand_over = hand_over
        self._standings = standings
        self.directory = Directory.empty()

    def take_turn(self, work: UnitOfWork, delivery: Delivery, line: str, now: datetime) -> None:
        """Order an attempt of a delivery at once if its path allows, else queue it."""
        state = self.state_of(work, delivery.path)
        path = self.directory.reply_path(delivery.path)
        if (
            line == FIRST
            and path is not None
            and path_stage.may_go_at_once(state, path.window, now)
        ):
            delivery = replace(delivery, place=state.first.tail)
            self._order(work, path, delivery, FIRST, now)
            state = path_stage.ordered(path_stage.passed(state), FIRST, now)
            self.put_state(work, delivery.path, state, now)
            return
        place = state.first.tail if line == FIRST else state.again.tail
        key = key_of_delivery(delivery.handset, delivery.path, delivery.delivery_id)
        work.tables[PLACE_ROWS].put(place_key(delivery.path, line, place), key)
        delivery = replace(delivery, is_under_way=False, line=line, place=place)
        work.tables[DELIVERY_ROWS].put(key, encode_delivery(delivery))
        self.put_state(work, delivery.path, path_stage.added(state, line), now)
        if line == FIRST:
            self.announce(work, delivery, DeliveryState.WAITING, now)
        self.serve_path(work, delivery.path, now)

    def serve_path(self, work: UnitOfWork, name: str, now: datetime) -> None:
        """Order the attempts of every queued delivery that may go by this path now."""
        state = self.state_of(work, name)
        path = self.directory.reply_path(name)
        waiting = work.tables[PLACE_ROWS]
        while path is not None and (line := path_stage.line_to_serve(state, path.window, now)):
            place = state.first.head if line == FIRST else state.again.head
            at = place_key(name, line, place)
            key = waiting.get(at)
            waiting.delete(at)
            state = path_stage.taken(state, line)
            octets = None if key is None else work.tables[DELIVERY_ROWS].get(key)
            if octets is not None:  # else it was forgotten as it waited
                state = path_stage.ordered(state, line, now)
                self._order(work, path, decode_delivery(octets), line, now)
        self.put_state(work, name, state, now)

    def put_back(
        self, work: UnitOfWork, delivery: Delivery, state: PathState, now: datetime
    ) -> None:
        """Queue a delivery again as before its order: no attempt was made, as nobody is bound."""
        state = path_stage.nobody_there(state, now)
        delivery = replace(delivery, attempt=delivery.attempt - 1, is_under_way=False)
        key = key_of_delivery(delivery.handset, delivery.path, delivery.delivery_id)
        if delivery.line == FIRST:
            at = place_key(delivery.path, FIRST, delivery.place)
            work.tables[PLACE_ROWS].put(at, key)
            work.tables[DELIVERY_ROWS].put(key, encode_delivery(delivery))
            self.put_state(work, delivery.path, path_stage.returned(state, delivery.place), now)
        else:
            delivery = replace(delivery, line="", place=0)
            due_at = now + path_stage.PROBE_EVERY
            work.tables[DELIVERY_ROWS].put(key, encode_delivery(delivery), due_at=due_at)
            self.put_state(work, delivery.path, state, now)

    def step_out(self, work: UnitOfWork, delivery: Delivery) -> PathState:
        """Take a delivery off the attempts under way and the queue; return the path's state."""
        state = self.state_of(work, delivery.path)
        if delivery.is_under_way:
            key = key_of_delivery(delivery.handset, delivery.path, delivery.delivery_id)
            work.tables[ORDER_ROWS].delete(key)
            return path_stage.attempt_ended(state, delivery.line)
        if delivery.line:
            work.tables[PLACE_ROWS].delete(place_key(delivery.path, delivery.line, delivery.place))
        return state

    @staticmethod
    def under_way(tables: Mapping[str, Table]) -> dict[bytes, int]:
        """The deliveries that are under way, each with the number of its attempt."""
        found: dict[bytes, int] = {}
        for key in tables[ORDER_ROWS].keys(b""):
            octets = tables[DELIVERY_ROWS].get(key)
            if octets is not None:
                found[key] = decode_delivery(octets).attempt
        return found

    def resume(
        self, work: UnitOfWork, found: Mapping[bytes, int], *, but_not_of: Collection[str] = ()
    ) -> None:
        """Hand over again the attempts in `found` that are still under way.

        After a restore no executor may hold them. A path that the directory does not have gets its
        attempts when it is back.
        """
        for key, attempt in found.items():
            octets = work.tables[DELIVERY_ROWS].get(key)
            delivery = None if octets is None else decode_delivery(octets)
            if delivery is None or not delivery.is_under_way or delivery.attempt != attempt:
                continue
            path = self.directory.reply_path(delivery.path)
            if path is not None and path.name not in but_not_of:
                work.once_committed(partial(self._hand_over, self._order_of(path, delivery)))

    def state_of(self, work: UnitOfWork, name: str) -> PathState:
        """The state of a path."""
        return decode_path(work.tables[PATH_ROWS].get(name.encode()))

    def put_state(self, work: UnitOfWork, name: str, state: PathState, now: datetime) -> None:
        """Keep the state of a path, and the time at which to serve the path again."""
        is_there = self.directory.reply_path(name) is not None
        due_at = path_stage.wakes_at(state, now) if is_there else None
        work.tables[PATH_ROWS].put(name.encode(), encode_path(state), due_at=due_at)
        self._standings.note(self._partition, name, state)

    def note_restored(self, paths: Table, name: str) -> None:
        """Show the state of a path in the metrics after a restore."""
        self._standings.note(self._partition, name, decode_path(paths.get(name.encode())))

    def count_given_up(self, name: str) -> None:
        """Count a delivery by this path that was given up."""
        self._standings.given_up(name)

    def announce(
        self,
        work: UnitOfWork,
        delivery: Delivery,
        state: DeliveryState,
        now: datetime,
        *,
        due_at: datetime | None = None,
    ) -> None:
        """Publish the state of a delivery to `mo-delivery`."""
        record = MoDelivery(
            delivery_id=delivery.delivery_id,
            path=delivery.path,
            kind=delivery.kind,
            subject_id=delivery.subject_id,
            handset=delivery.handset,
            number=delivery.number,
            state=state.value,
            attempt=delivery.attempt,
            due_at=due_at,
            at=now,
        )
        key = key_from_handset(delivery.handset)
        work.send(topics.MO_DELIVERY, key, single_object.encode(record))

    def _order(
        self, work: UnitOfWork, path: ReplyPath, delivery: Delivery, line: str, now: datetime
    ) -> None:
        delivery = replace(delivery, attempt=delivery.attempt + 1, is_under_way=True, line=line)
        key = key_of_delivery(delivery.handset, delivery.path, delivery.delivery_id)
        work.tables[DELIVERY_ROWS].put(key, encode_delivery(delivery))
        work.tables[ORDER_ROWS].put(key, b"")
        self.announce(work, delivery, DeliveryState.ORDERED, now)
        work.once_committed(partial(self._hand_over, self._order_of(path, delivery)))

    def _order_of(self, path: ReplyPath, delivery: Delivery) -> DeliveryOrder:
        return DeliveryOrder(
            partition=self._partition,
            delivery_id=delivery.delivery_id,
            path=path,
            kind=delivery.kind,
            subject_id=delivery.subject_id,
            handset=delivery.handset,
            octets=delivery.octets,
            attempt=delivery.attempt,
            is_first_try=delivery.line != AGAIN,
            since=delivery.since,
            trace=carried(),
        )
