"""The agent `delivery`: enters what is to be handed on, and takes what became of it.

It reads the topics that `pipeline/kafka/readers.py` lists. It calls nobody: once a unit of work is
committed, its orders go to the executor of this process.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from pipeline.avro import single_object
from pipeline.delivery.agent.book import DeliveryBook
from pipeline.delivery.agent.events import Events
from pipeline.delivery.agent.lines import Lines
from pipeline.delivery.agent.refusals import bury_undelivered, refuse_record
from pipeline.delivery.agent.requests import Requests
from pipeline.delivery.agent.tables import (
    COMMAND_ROWS,
    DELIVERY_ROWS,
    DIRECTORY_ROW,
    FORGET_ROWS,
    PATH_ROWS,
)
from pipeline.delivery.agent.times import time_of_delivering
from pipeline.directory.directory import Directory
from pipeline.engine.bounded_times import TimeBounds, broker_time
from pipeline.engine.due import Due
from pipeline.kafka import readers, topics
from pipeline.records import (
    Clock,
    ConsentChange,
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
from pipeline.wrong_deploy import WrongDeploy

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aiokafka.structs import ConsumerRecord

    from pipeline.delivery.agent.standings import Standings
    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.engine.state.state import State
    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.settings import Settings

UNREADABLE_IN_A_ROW: Final = 10


class DeliveryAgent:
    """The agent's work for one partition."""

    def __init__(
        self,
        *,
        partition: int,
        settings: Settings,
        hand_over: Callable[[DeliveryOrder], None],
        standings: Standings,
        wall_clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._partition = partition
        self._account = settings.account
        self._lines = Lines(partition=partition, hand_over=hand_over, standings=standings)
        self._book = DeliveryBook(self._lines)
        events = Events(self._lines, self._book)
        requests = Requests(
            self._lines, self._book, partition=partition, partitions=settings.partitions
        )
        self._wall_clock = wall_clock
        self._restored_at = wall_clock()
        self._under_way: dict[bytes, int] | None = None
        self._unreadable = 0
        fall_due = {
            DELIVERY_ROWS: self._book.try_again,
            PATH_ROWS: self._wake,
            COMMAND_ROWS: events.forget_command,
            FORGET_ROWS: requests.forget_order,
        }
        self._due = Due(TimeBounds(is_local=not settings.kafka), fall_due, bury=bury_undelivered)
        self._take: Mapping[str, tuple[type[Record], Callable[..., bool | None]]] = {
            topics.NUMBERS: (Numbers, self._take_numbers),
            topics.MO_PART: (MoPart, events.take_part),
            topics.MO_MESSAGE: (MoMessage, events.take_message),
            topics.CONSENT_CHANGE: (ConsentChange, events.take_change),
            topics.MT_COMMAND: (MtCommand, events.take_command),
            topics.MT_REJECTION: (MtRejection, events.take_rejection),
            topics.MT_STATE: (MtState, events.take_state),
            topics.MO_DELIVERY_RESULT: (MoDeliveryResult, self._take_result),
            topics.DELIVERY_REQUEST: (DeliveryRequest, requests.take_request),
            topics.FORGET_REQUEST: (ForgetRequest, requests.note_order_to_forget),
            topics.ERASURE: (Erasure, requests.take_erasure),
            topics.CLOCK: (Clock, self._take_tick),
        }

    def restored(self, state: State) -> None:
        """Take up the directory; what is under way is handed over again at a tick from now on.

        Such a tick is taken behind every result that was written before the restore.
        """
        self._restored_at = self._wall_clock()
        self._under_way = self._lines.under_way(state.tables)
        octets = state.tables[DIRECTORY_ROW].get(b"")
        try:
            self._lines.directory = self._directory_of(octets) if octets else Directory.empty()
        except single_object.Unreadable as error:
            raise WrongDeploy(f"the directory in the state cannot be read: {error}") from error
        for name in state.tables[PATH_ROWS].keys(b""):
            self._lines.note_restored(state.tables[PATH_ROWS], name.decode())

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
        bury_undelivered(work, record, Rejected(Reason.UNREADABLE_RECORD, words))

    def _directory_of(self, octets: bytes) -> Directory:
        numbers = cast("Numbers", single_object.decode(octets))
        return Directory(numbers, default_account=self._account)

    def _take_numbers(self, work: UnitOfWork, record: ConsumerRecord, numbers: Numbers) -> None:
        work.tables[DIRECTORY_ROW].put(b"", record.value)
        before = self._lines.directory
        self._lines.directory = Directory(numbers, default_account=self._account)
        now = time_of_delivering(work, record)
        names = [key.decode() for key in work.tables[PATH_ROWS].keys(b"")]
        if self._under_way is None:
            found = self._lines.under_way(work.tables)
            there = [name for name in names if before.reply_path(name) is not None]
            self._lines.resume(work, found, but_not_of=there)
        for name in names:
            self._lines.serve_path(work, name, now)

    def _take_result(
        self, work: UnitOfWork, record: ConsumerRecord, result: MoDeliveryResult
    ) -> None:
        self._book.settle_attempt(work, result, self._partition, time_of_delivering(work, record))

    def _take_tick(self, work: UnitOfWork, record: ConsumerRecord, tick: Clock) -> bool:
        if self._under_way is not None and broker_time(record) >= self._restored_at:
            self._lines.resume(work, self._under_way)
            self._under_way = None
        return self._due.take_tick(work, record, tick)

    def _wake(self, work: UnitOfWork, key: bytes, now: datetime) -> None:
        self._lines.serve_path(work, key.decode(), now)
