"""Enters what is to be handed on: messages, parts, changes of consent, and what became of MTs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from pipeline.delivery.agent.book import Subject
from pipeline.delivery.agent.tables import COMMAND_ROWS
from pipeline.delivery.agent.times import time_of_delivering
from pipeline.engine.bounded_times import broker_time
from pipeline.records import DeliveryKind
from pipeline.stages.delivering import routing
from pipeline.stages.delivering.row import handset_begins

if TYPE_CHECKING:
    from datetime import datetime

    from aiokafka.structs import ConsumerRecord

    from pipeline.delivery.agent.book import DeliveryBook
    from pipeline.delivery.agent.lines import Lines
    from pipeline.engine.unit_of_work import UnitOfWork
    from pipeline.records import (
        ConsentChange,
        MoMessage,
        MoPart,
        MtCommand,
        MtRejection,
        MtState,
        ReplyPath,
    )

#: How long a command is known whose results are handed on: the gateway tells statuses for days.
COMMANDS_KEPT: Final = timedelta(days=10)


class Events:
    """Chooses the paths of a record, and enters it for each."""

    def __init__(self, lines: Lines, book: DeliveryBook) -> None:
        self._lines = lines
        self._book = book

    def take_part(self, work: UnitOfWork, record: ConsumerRecord, part: MoPart) -> None:
        """A part, where its path wants parts."""
        path = routing.path_of_unit(self._lines.directory, part.number, routing.PARTS)
        if path is not None:
            self._enter(work, record, path, DeliveryKind.PART, part.part_id, part.number)

    def take_message(self, work: UnitOfWork, record: ConsumerRecord, message: MoMessage) -> None:
        """A message, where its path wants messages."""
        path = routing.path_of_unit(self._lines.directory, message.number, routing.MESSAGES)
        if path is not None:
            kind = DeliveryKind.MESSAGE
            self._enter(work, record, path, kind, message.message_id, message.number)

    def take_change(self, work: UnitOfWork, record: ConsumerRecord, change: ConsentChange) -> None:
        """A change of consent, for every path that wants to know."""
        for path in routing.paths_of_change(self._lines.directory, change):
            self._enter(work, record, path, DeliveryKind.CONSENT, change.change_id, change.number)

    def take_command(self, work: UnitOfWork, record: ConsumerRecord, command: MtCommand) -> None:
        """A command, whose states name no sender ID: it is kept until its results have come."""
        if routing.path_of_results(self._lines.directory, command.sender_id) is not None:
            key = handset_begins(command.handset) + command.command_id.encode()
            until = time_of_delivering(work, record) + COMMANDS_KEPT
            work.tables[COMMAND_ROWS].put(key, command.sender_id.encode(), due_at=until)

    def take_state(self, work: UnitOfWork, record: ConsumerRecord, state: MtState) -> None:
        """What became of a command."""
        if state.state not in routing.TOLD or work.tables[COMMAND_ROWS].is_empty:
            return
        key = handset_begins(state.handset) + state.command_id.encode()
        sender_id = (work.tables[COMMAND_ROWS].get(key) or b"").decode()
        path = routing.path_of_results(self._lines.directory, sender_id) if sender_id else None
        if path is not None:
            self._enter(work, record, path, DeliveryKind.RESULT, state.state_id, sender_id)

    def take_rejection(
        self, work: UnitOfWork, record: ConsumerRecord, rejection: MtRejection
    ) -> None:
        """A request that became no command; of a command, `mt-state` tells it."""
        path = routing.path_of_results(self._lines.directory, rejection.sender_id)
        if path is not None and not rejection.command_id:
            kind, sender_id = DeliveryKind.RESULT, rejection.sender_id
            self._enter(work, record, path, kind, rejection.rejection_id, sender_id)

    def forget_command(self, work: UnitOfWork, key: bytes, _now: datetime) -> None:
        """No result of the command comes any more."""
        work.tables[COMMAND_ROWS].delete(key)

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
        self._book.enter(work, path, subject, time_of_delivering(work, record))
