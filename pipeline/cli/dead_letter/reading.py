"""Reads the dead letters and their retries from Kafka."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from pipeline.avro.single_object import Unreadable, decode
from pipeline.cli.ask.reading import newest_records, partitions_of, records_between
from pipeline.cli.terminal.saying import say
from pipeline.kafka import topics
from pipeline.records import DeadLetter, DeadLetterRetry, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kafka import KafkaConsumer

R = TypeVar("R", bound=Record)


def newest_letters(consumer: KafkaConsumer, *, window: int) -> Iterator[DeadLetter]:
    """The dead letters among the last `window` offsets of each partition."""
    return _of_kind(DeadLetter, newest_records(consumer, topics.DEAD_LETTER, window=window))


def all_letters(consumer: KafkaConsumer) -> Iterator[DeadLetter]:
    """Every dead letter that Kafka still has."""
    return records_of_kind(consumer, topics.DEAD_LETTER, DeadLetter)


def retries_by_letter(consumer: KafkaConsumer) -> dict[str, DeadLetterRetry]:
    """Every retry, by the id of its dead letter."""
    found = records_of_kind(consumer, topics.DEAD_LETTER_RETRY, DeadLetterRetry)
    return {retry.dead_letter_id: retry for retry in found}


def records_of_kind(consumer: KafkaConsumer, topic: str, kind: type[R]) -> Iterator[R]:
    """Every record of that kind in a topic; unreadable ones are named on stderr."""
    partitions = partitions_of(consumer, [topic])
    starts = consumer.beginning_offsets(partitions)
    ends = consumer.end_offsets(partitions)
    return _of_kind(kind, records_between(consumer, starts=starts, ends=ends))


def _of_kind(kind: type[R], records: Iterable[object]) -> Iterator[R]:
    for record in records:
        try:
            value = decode(getattr(record, "value", None) or b"")
        except Unreadable as error:
            place = f"{record.partition}@{record.offset}"  # type: ignore[attr-defined]
            say(f"{place} is unreadable: {error}", err=True)
            continue
        if isinstance(value, kind):
            yield value
