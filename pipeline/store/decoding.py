"""Makes the rows of a block. An unreadable record becomes a dead letter of the stage `store`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pipeline.avro import single_object
from pipeline.dead_letters import letter_from_record
from pipeline.kafka import readers, topics
from pipeline.process.peer_words import words_of_error
from pipeline.records import DeadLetter, Reason, Record, Rejected, Stage
from pipeline.store.forgotten import Forgotten
from pipeline.store.ranges import too_large
from pipeline.store.rows import STORED, Row, columns_of, row_from_record
from pipeline.wrong_deploy import WrongDeploy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka.structs import ConsumerRecord

IN_A_ROW: Final = 10
NO_PLACE: Final = -1  # a dead letter that the store makes is not in Kafka

_KIND_OF_RECORD: Final = {single_object.snake_from_camel(kind.__name__): kind for kind in STORED}
KIND_OF: Final[dict[str, type[Record]]] = {
    name: _KIND_OF_RECORD[topics.topics()[name].record] for name in readers.READ_BY[readers.STORE]
}
TABLE_OF: Final = {kind: f"{single_object.snake_from_camel(kind.__name__)}_rows" for kind in STORED}


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows for one table."""

    table: str
    columns: tuple[str, ...]
    rows: Sequence[Row]


class Decoder:
    """Reads the records of one topic."""

    def __init__(self, topic: str, forgotten: Forgotten | None = None) -> None:
        self._topic = topic
        self._forgotten = forgotten or Forgotten()
        self._kind = KIND_OF[topic]
        self._unreadable = 0

    def tables(self, records: Sequence[ConsumerRecord]) -> tuple[TableRows, TableRows]:
        """The rows of the topic's table and the rows of dead letters.

        Raises `WrongDeploy` after `IN_A_ROW` unreadable records in a row in a topic of ours.
        """
        rows: list[Row] = []
        letters: list[Row] = []
        for record in records:
            try:
                value = self._read(record)
            except single_object.Unreadable as error:
                self._count(error)
                if not self._forgotten.keeps_unreadable(record):
                    continue
                rejected = Rejected(Reason.UNREADABLE_RECORD, str(error))
                letters.append(_letter_row(record, rejected))
                continue
            self._unreadable = 0
            kept = self._forgotten.as_kept(record, value)
            if kept is None:
                continue
            row = row_from_record(
                kept,
                key=record.key,
                partition=record.partition,
                offset=record.offset,
                written_ms=record.timestamp,
            )
            rows.append(row)
        return _table_rows(self._kind, rows), _table_rows(DeadLetter, letters)

    def letters(
        self, records: Sequence[ConsumerRecord], refused: Sequence[tuple[Row, BaseException]]
    ) -> TableRows:
        """The dead letters of rows that ClickHouse refused; `refused` has each row's error."""
        by_place = {(record.partition, record.offset): record for record in records}
        letters = []
        for row, error in refused:
            record = by_place[row[-2], row[-1]]
            if self._forgotten.keeps_unreadable(record):
                letters.append(_letter_row(record, Rejected(Reason.FAILED, words_of_error(error))))
        return _table_rows(DeadLetter, letters)

    def _read(self, record: ConsumerRecord) -> Record:
        value = single_object.decode(record.value or b"")
        if type(value) is not self._kind:
            raise single_object.Unreadable(
                f"a {type(value).__name__} does not belong in {self._topic}"
            )
        field = too_large(value)
        if field:
            raise single_object.Unreadable(f"{field} does not fit into 32 bits")
        return value

    def _count(self, error: single_object.Unreadable) -> None:
        self._unreadable += 1
        if self._unreadable >= IN_A_ROW and self._topic in readers.OURS_ALONE:
            raise WrongDeploy(
                f"{self._unreadable} records of {self._topic} in a row cannot be read: {error}"
            ) from error


def _letter_row(record: ConsumerRecord, rejected: Rejected) -> Row:
    letter = letter_from_record(record, rejected, stage=Stage.STORE)
    return row_from_record(
        letter,
        key=None,
        partition=NO_PLACE,
        offset=NO_PLACE,
        written_ms=record.timestamp,
    )


def _table_rows(kind: type[Record], rows: Sequence[Row]) -> TableRows:
    return TableRows(TABLE_OF[kind], columns_of(kind), rows)
