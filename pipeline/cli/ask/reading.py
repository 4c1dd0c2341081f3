"""Reads topics: between two offsets, the newest records, or new records without end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kafka import TopicPartition

from pipeline.avro.single_object import Unreadable, decode
from pipeline.cli.ask.waiting import ProgressDeadline
from pipeline.cli.terminal.failure import CommandError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from kafka import KafkaConsumer

POLL_MS: Final = 500
PATIENCE_SECONDS: Final = 20


def partitions_of(consumer: KafkaConsumer, names: Iterable[str]) -> list[TopicPartition]:
    """Every partition of the topics that exist."""
    return [
        TopicPartition(name, number)
        for name in names
        for number in sorted(consumer.partitions_for_topic(name))
    ]


def records_between(
    consumer: KafkaConsumer,
    *,
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> Iterator[Any]:
    """The committed records of each partition, from its start (included) to its end (excluded)."""
    behind = {at: start for at, start in starts.items() if start < ends[at]}
    if not behind:
        return
    consumer.assign(list(behind))
    consumer.resume(*behind)  # a partition that was assigned before is still paused
    for at, start in behind.items():
        consumer.seek(at, start)
    patience = ProgressDeadline(seconds=PATIENCE_SECONDS)
    while where := {
        at: consumer.position(at) for at in behind if (consumer.position(at) or 0) < ends[at]
    }:
        consumer.pause(*(at for at in behind if at not in where))
        for at, records in consumer.poll(timeout_ms=POLL_MS).items():
            yield from (record for record in records if record.offset < ends[at])
        patience.saw(where)
        if patience.is_over():
            raise CommandError(
                f"the broker gave nothing of {min(where).topic} for {PATIENCE_SECONDS} s"
            )


def newest_records(consumer: KafkaConsumer, topic: str, *, window: int) -> list[Any]:
    """The committed records among the last `window` offsets of each partition."""
    partitions = partitions_of(consumer, [topic])
    beginnings, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
    starts = {at: max(beginnings[at], ends[at] - window) for at in partitions}
    return list(records_between(consumer, starts=starts, ends=ends))


def follow(consumer: KafkaConsumer, topic: str, *, from_beginning: bool) -> Iterator[Any]:
    """The committed records of a topic as they come; it never ends."""
    return follow_topics(consumer, [topic], from_beginning=from_beginning, is_over=lambda: False)


def follow_topics(
    consumer: KafkaConsumer,
    names: Iterable[str],
    *,
    from_beginning: bool,
    is_over: Callable[[], bool],
) -> Iterator[Any]:
    """The committed records of some topics as they come, by their time within what came together.

    `is_over` is asked between polls; then it ends.
    """
    partitions = partitions_of(consumer, names)
    consumer.assign(partitions)
    if from_beginning:
        consumer.seek_to_beginning(*partitions)
    else:
        for at, end in consumer.end_offsets(partitions).items():
            consumer.seek(at, end)
    while not is_over():
        polled = consumer.poll(timeout_ms=POLL_MS)
        together = [record for records in polled.values() for record in records]
        yield from sorted(together, key=lambda record: int(record.timestamp))


def json_from_record(record: Any) -> dict[str, Any]:
    """A record as `consume` prints it; one that is not ours is shown with its octets and why."""
    line: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        **_key_of(record.key),
    }
    if record.value is None:
        return line | {"value": None}
    try:
        value = decode(record.value)
    except Unreadable as error:
        return line | {"unreadable": str(error), "octets": record.value}
    return line | {"record": type(value).__name__, "value": value}


def _key_of(key: bytes | None) -> dict[str, Any]:
    """The key as text, or as octets if it is not printable text."""
    try:
        text = None if key is None else key.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    readable = key is None or (text is not None and text.isprintable())
    return {"key": text} if readable else {"key_octets": key}
