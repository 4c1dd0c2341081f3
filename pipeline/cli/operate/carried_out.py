"""Publishes an order, and waits until the group that reads it has carried it out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from kafka import TopicPartition

from pipeline.avro.single_object import Unreadable, decode
from pipeline.cli.ask.broker import open_admin, open_consumer, publish
from pipeline.cli.ask.reading import records_between
from pipeline.cli.ask.waiting import wait_for
from pipeline.cli.operate import groups
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import topics
from pipeline.records import DeadLetter

if TYPE_CHECKING:
    from pipeline.cli.ask.broker import Outgoing
    from pipeline.records import Record


class CarriedOut(NamedTuple):
    """An order that was carried out: its place, and what its partition was written meanwhile."""

    topic: str
    offset: int
    written: list[Record | None]  # None: it could not be read


def carry_out(
    bootstrap: str, order: Outgoing, *, group: str, answers: str, seconds: float, failure: str
) -> CarriedOut:
    """Publish an order; return once `group` has read past it.

    `answers` is the topic of what the order leads to; dead letters are read, too. Raises
    `CommandError` with the words `failure` if nothing took the order in `seconds`; the order stays
    in force then.
    """
    with open_admin(bootstrap) as admin, open_consumer(bootstrap) as consumer:
        count = len(consumer.partitions_for_topic(order.topic) or ())
        if not count:
            raise CommandError(f"the broker has no topic {order.topic}: start the stack")
        partition = topics.partition_of(order.key or b"", count)
        orders = TopicPartition(order.topic, partition)
        asked = [TopicPartition(name, partition) for name in (answers, topics.DEAD_LETTER)]
        starts = groups.offsets_at(admin, asked)
        offset = publish(bootstrap, [order])[order.topic, partition]

        def is_done() -> bool | None:
            found = groups.positions(admin, group=group, partitions=[orders])
            return found[orders].offset > offset or None

        wait_for(is_done, seconds=seconds, failure=failure)
        ends = groups.offsets_at(admin, asked, committed=False)
        read = [_read(record) for record in records_between(consumer, starts=starts, ends=ends)]
    return CarriedOut(order.topic, offset, read)


def refusal_in(value: Record | None, *, topic: str, offset: int) -> str | None:
    """The words of the dead letter that the order became; None if `value` is not that letter."""
    if isinstance(value, DeadLetter) and (value.topic, value.offset) == (topic, offset):
        return value.words
    return None


def _read(record: Any) -> Record | None:
    try:
        return decode(record.value or b"")
    except (Unreadable, msgspec.ValidationError):
        return None
