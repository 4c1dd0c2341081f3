"""Publishes an order to forget a handset, and waits until a worker has carried it out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kafka import TopicPartition

from pipeline.avro.single_object import Unreadable, decode
from pipeline.cli.ask.broker import Outgoing, open_admin, open_consumer, publish
from pipeline.cli.ask.reading import partitions_of, records_between
from pipeline.cli.ask.waiting import wait_for
from pipeline.cli.operate import groups
from pipeline.cli.terminal.failure import CommandError
from pipeline.cli.terminal.local import clock_of
from pipeline.kafka import topics
from pipeline.records import DeadLetter, Erasure, ForgetRequest
from pipeline.sms.msisdn import key_from_handset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.records import Record
    from pipeline.settings import Settings

WORKERS_SECONDS: Final = 60


class Order:
    """An order to forget a handset, to be published."""

    def __init__(
        self, settings: Settings, bootstrap: str, handset: str, *, actor: str, reason: str
    ) -> None:
        self.bootstrap = bootstrap
        self.handset = handset
        self.request = ForgetRequest(
            request_id=uuid.uuid4().hex,
            handset=handset,
            actor=actor,
            reason=reason,
            requested_at=clock_of(settings).now(),
        )


@dataclass(frozen=True, kw_only=True)
class Done:
    """The worker's erasure, and how many rows of the changelog are tombstones now, or not."""

    erasure: Erasure
    partition: int
    tombstones: int
    rows_left: int


def anyone_was_forgotten(bootstrap: str) -> bool:
    """Whether the topic of erasures ever had a record."""
    with open_admin(bootstrap) as admin, open_consumer(bootstrap) as consumer:
        ends = groups.offsets_at(admin, partitions_of(consumer, [topics.ERASURE]))
    return any(ends.values())


def carried_out(order: Order, *, say: Callable[[str], None]) -> Done:
    """Publish the order and wait for the worker's answer; raises `CommandError` if refused."""
    watched = (topics.ERASURE, topics.DEAD_LETTER, topics.CONVERSATION_CHANGELOG)
    with open_admin(order.bootstrap) as admin, open_consumer(order.bootstrap) as consumer:
        count = len(consumer.partitions_for_topic(topics.FORGET_REQUEST) or ())
        if not count:
            raise CommandError(f"the broker has no topic {topics.FORGET_REQUEST}: start the stack")
        partition = topics.partition_of(key_from_handset(order.handset), count)
        at = {name: TopicPartition(name, partition) for name in watched}
        starts = groups.offsets_at(admin, list(at.values()))
        outgoing = Outgoing(
            topic=topics.FORGET_REQUEST, record=order.request, key=key_from_handset(order.handset)
        )
        offset = publish(order.bootstrap, [outgoing])[topics.FORGET_REQUEST, partition]
        say(f"ordered: {order.request.request_id}")

        def since(name: str) -> Iterator[Any]:
            ends = groups.offsets_at(admin, [at[name]])
            return records_between(consumer, starts={at[name]: starts[at[name]]}, ends=ends)

        def answered() -> Erasure | None:
            for record in since(topics.ERASURE):
                found = _read(record)
                if isinstance(found, Erasure) and found.request_id == order.request.request_id:
                    return found
            for record in since(topics.DEAD_LETTER):
                found = _read(record)
                if isinstance(found, DeadLetter) and (found.topic, found.offset) == (
                    topics.FORGET_REQUEST,
                    offset,
                ):
                    raise CommandError(f"the worker refused the order: {found.words}")
            return None

        erasure = wait_for(answered, seconds=WORKERS_SECONDS, failure="no worker answered")
        last: dict[bytes, bytes | None] = {}
        for record in since(topics.CONVERSATION_CHANGELOG):
            if order.handset.encode() in (record.key or b""):
                last[record.key] = record.value
    return Done(
        erasure=erasure,
        partition=partition,
        tombstones=sum(value is None for value in last.values()),
        rows_left=sum(value is not None for value in last.values()),
    )


def _read(record: Any) -> Record | None:
    try:
        return decode(record.value or b"")
    except Unreadable:
        return None
