"""Publishes an order about consent, waits for a worker, and says what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from kafka import TopicPartition

from pipeline.avro.single_object import Unreadable, decode
from pipeline.cli.ask.broker import open_admin, open_consumer, publish
from pipeline.cli.ask.reading import records_between
from pipeline.cli.ask.waiting import wait_for
from pipeline.cli.consent.orders import outgoing_from
from pipeline.cli.operate import groups
from pipeline.cli.terminal.failure import CommandError
from pipeline.kafka import readers, topics
from pipeline.records import ConsentChange, DeadLetter
from pipeline.records.plain import text_from_time
from pipeline.store.story.consent_words import name_of_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.records import ConsentRequest, Record

WORKERS_SECONDS: Final = 60


def changes_of(bootstrap: str, request: ConsentRequest) -> list[ConsentChange]:
    """The changes of the handset's consent, once a worker has carried the order out.

    Raises `CommandError` if the worker refused the order, or if no worker took it in
    `WORKERS_SECONDS`. In the second case the order stays in force.
    """
    outgoing = outgoing_from(request)
    with open_admin(bootstrap) as admin, open_consumer(bootstrap) as consumer:
        count = len(consumer.partitions_for_topic(topics.CONSENT_REQUEST) or ())
        if not count:
            raise CommandError(f"the broker has no topic {topics.CONSENT_REQUEST}: start the stack")
        partition = topics.partition_of(outgoing.key or b"", count)
        orders = TopicPartition(topics.CONSENT_REQUEST, partition)
        answers = [
            TopicPartition(name, partition) for name in (topics.CONSENT_CHANGE, topics.DEAD_LETTER)
        ]
        starts = groups.offsets_at(admin, answers)
        offset = publish(bootstrap, [outgoing])[topics.CONSENT_REQUEST, partition]

        def is_done() -> bool | None:
            found = groups.positions(admin, group=readers.CONVERSATION, partitions=[orders])
            return found[orders].offset > offset or None

        wait_for(
            is_done,
            seconds=WORKERS_SECONDS,
            failure=f"{request.request_id} is ordered, and no worker has carried it out",
        )
        ends = groups.offsets_at(admin, answers, committed=False)
        read = [_read(record) for record in records_between(consumer, starts=starts, ends=ends)]
    for value in read:
        if isinstance(value, DeadLetter) and (value.topic, value.offset) == (orders.topic, offset):
            raise CommandError(f"the worker refused the order: {value.words}")
    return [
        each for each in read if isinstance(each, ConsentChange) and each.handset == request.handset
    ]


def lines_of_changes(changes: Iterable[ConsentChange]) -> Iterator[str]:
    """What holds now, scope by scope."""
    latest = {(change.scope_kind, change.scope): change for change in changes}
    for key, change in latest.items():
        yield (
            f"{name_of_scope(key)}: ours {change.state}, the gateway's {change.gateway_state},"
            f" since {text_from_time(change.at)}"
        )
    if not latest:
        yield "nothing changed, because the state was the same before: see `twoway why`"


def _read(record: Any) -> Record | None:
    try:
        return decode(record.value or b"")
    except (Unreadable, msgspec.ValidationError):
        return None
