"""The dead letters and their retries, as Kafka has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import typer

from pipeline import topics
from pipeline.avro import Unreadable, decode
from pipeline.commands.reading import newest_records, partitions_of, records_between
from pipeline.records import DeadLetter, DeadLetterRetry, Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kafka import KafkaConsumer

R = TypeVar("R", bound=Record)


def newest_letters(consumer: KafkaConsumer, *, window: int) -> Iterator[DeadLetter]:
    """Those among the last `window` offsets of each partition."""
    return _of_kind(DeadLetter, newest_records(consumer, topics.DEAD_LETTER, window=window))


def all_letters(consumer: KafkaConsumer) -> Iterator[DeadLetter]:
    """Every letter that is kept."""
    return _of_kind(DeadLetter, _all_records(consumer, topics.DEAD_LETTER))


def retries_by_letter(consumer: KafkaConsumer) -> dict[str, DeadLetterRetry]:
    """Every retry by the letter's id."""
    found = _of_kind(DeadLetterRetry, _all_records(consumer, topics.DEAD_LETTER_RETRY))
    return {retry.dead_letter_id: retry for retry in found}


def _all_records(consumer: KafkaConsumer, topic: str) -> Iterable[object]:
    partitions = partitions_of(consumer, [topic])
    starts = consumer.beginning_offsets(partitions)
    return records_between(consumer, starts=starts, ends=consumer.end_offsets(partitions))


def _of_kind(kind: type[R], records: Iterable[object]) -> Iterator[R]:
    for record in records:
        try:
            value = decode(getattr(record, "value", None) or b"")
        except Unreadable as error:
            place = f"{record.partition}@{record.offset}"  # type: ignore[attr-defined]
            typer.echo(f"{place} is unreadable: {error}", err=True)
            continue
        if isinstance(value, kind):
            yield value
