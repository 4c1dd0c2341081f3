"""The state of each partition, from the offsets that the groups have committed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from pipeline.cli.ask.broker import open_admin, open_consumer
from pipeline.cli.ask.reading import partitions_of
from pipeline.cli.operate import groups
from pipeline.kafka import readers, topics
from pipeline.kafka.admin import words_of_kafka_4_3

if TYPE_CHECKING:
    from kafka import TopicPartition


class PartitionState(msgspec.Struct, frozen=True, kw_only=True):
    """One partition: how many records the workers and the store have not read yet, and its time.

    Ticks do not count in the workers' lag. `time` says how far the ticks are processed.
    """

    partition: int
    conversation_lag: int
    store_lag: int
    at_most: bool
    time: datetime | None


class GroupState(msgspec.Struct, frozen=True, kw_only=True):
    """A consumer group: how many members it has, and its state in the broker's words."""

    name: str
    members: int
    state: str


class BrokerState(msgspec.Struct, frozen=True, kw_only=True):
    """The broker's view of the pipeline."""

    partitions: list[PartitionState]
    groups: list[GroupState]
    warning: str = ""
    """What is wrong with the broker's version; empty if nothing is."""


def time_from_metadata(metadata: str) -> datetime | None:
    """The partition's time in the metadata of an offset, `sequence;time`; None if there is none."""
    _, _, text = metadata.partition(";")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def partition_times(bootstrap: str) -> dict[int, datetime | None]:
    """The time of each partition."""
    with open_admin(bootstrap) as admin, open_consumer(bootstrap) as consumer:
        clocks = partitions_of(consumer, [topics.CLOCK])
        found = groups.positions(admin, group=readers.CONVERSATION, partitions=clocks)
        return {
            at.partition: time_from_metadata(position.metadata) for at, position in found.items()
        }


def broker_state(bootstrap: str) -> BrokerState:
    """Lag and time of every partition, and the groups that read."""
    with open_admin(bootstrap) as admin, open_consumer(bootstrap) as consumer:
        conversation = _lags_of(admin, consumer, group=readers.CONVERSATION, but={topics.CLOCK})
        store = _lags_of(admin, consumer, group=readers.STORE)
        clocks = partitions_of(consumer, [topics.CLOCK])
        times = groups.positions(admin, group=readers.CONVERSATION, partitions=clocks)
        described = groups.coordinated(
            lambda: admin.describe_groups([readers.CONVERSATION, readers.STORE, readers.DELIVERY])
        )
        warning = words_of_kafka_4_3(admin)
    return BrokerState(
        partitions=[
            partition_state(
                at.partition,
                conversation=[
                    lag for where, lag in conversation.items() if where.partition == at.partition
                ],
                store=[lag for where, lag in store.items() if where.partition == at.partition],
                time=time_from_metadata(position.metadata),
            )
            for at, position in times.items()
        ],
        groups=[
            GroupState(
                name=name, members=len(group.get("members", [])), state=group.get("group_state", "")
            )
            for name, group in described.items()
        ],
        warning=warning,
    )


def partition_state(
    partition: int,
    *,
    conversation: list[groups.Lag],
    store: list[groups.Lag],
    time: datetime | None,
) -> PartitionState:
    """The state of one partition, with the lags of its topics added up."""
    return PartitionState(
        partition=partition,
        conversation_lag=sum(lag.records for lag in conversation),
        store_lag=sum(lag.records for lag in store),
        at_most=any(lag.at_most for lag in (*conversation, *store)),
        time=time,
    )


def _lags_of(
    admin: Any, consumer: Any, *, group: str, but: frozenset[str] | set[str] = frozenset()
) -> dict[TopicPartition, groups.Lag]:
    partitions = partitions_of(
        consumer, [name for name in readers.READ_BY[group] if name not in but]
    )
    found = groups.positions(admin, group=group, partitions=partitions)
    offsets = {at: position.offset for at, position in found.items()}
    return groups.lags(consumer, offsets, ends=groups.offsets_at(admin, partitions))
