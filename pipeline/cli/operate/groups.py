"""How far a consumer group has come, counted in records, without transaction markers."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from kafka import TopicPartition, errors
from kafka.admin import OffsetSpec
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    GroupIdNotFoundError,
    NotCoordinatorError,
)

from pipeline.cli.ask.broker import open_admin
from pipeline.cli.ask.reading import records_between
from pipeline.cli.ask.waiting import ProgressDeadline, pause
from pipeline.kafka import readers

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from kafka import KafkaAdminClient, KafkaConsumer

COORDINATOR_SECONDS: Final = 15
COUNTED_RECORDS: Final = 1_000  # the most offsets at the end of a partition that are read to count

_NOT_YET: Final = (
    CoordinatorNotAvailableError,
    CoordinatorLoadInProgressError,
    NotCoordinatorError,
)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class GroupPosition:
    """A group's position in a partition: the next offset, and the metadata committed with it."""

    offset: int
    metadata: str = ""


@dataclass(frozen=True, kw_only=True)
class Lag:
    """How many records a group has not read yet.

    `at_most`: the number may include markers. `done_at`: the offset at which the lag is zero.
    """

    records: int
    done_at: int
    at_most: bool = False


def coordinated(ask: Callable[[], T]) -> T:
    """The answer of `ask`, which is repeated while the broker has no coordinator for the group."""
    patience = ProgressDeadline(seconds=COORDINATOR_SECONDS)
    while True:
        try:
            return ask()
        except _NOT_YET:
            if patience.is_over():
                raise
            pause()


def begin_topic_of_offsets(bootstrap: str) -> None:
    """Have a new broker begin to make its topic of offsets; does not wait for it.

    It does so, for about a second, when somebody asks for a group for the first time. Members of a
    group that ask meanwhile log an error.
    """
    with open_admin(bootstrap) as admin, suppress(*_NOT_YET):
        admin.describe_groups([readers.CONVERSATION])


def delete_groups(admin: KafkaAdminClient, *, among: Collection[str] | None = None) -> None:
    """Delete the groups that are there, without `among` all of them.

    Raises Kafka's error if a group is not deleted.
    """

    def delete() -> None:
        present = [each["group_id"] for each in admin.list_groups()]
        wanted = present if among is None else [group for group in present if group in among]
        for group, error in admin.delete_groups(wanted).items() if wanted else ():
            if error not in ("OK", GroupIdNotFoundError.__name__):
                raise getattr(errors, error)(f"the group {group} is not deleted")

    coordinated(delete)


def positions(
    admin: KafkaAdminClient, *, group: str, partitions: list[TopicPartition]
) -> dict[TopicPartition, GroupPosition]:
    """The group's position in each partition; without a commit, the partition's beginning."""
    found = coordinated(lambda: admin.list_group_offsets({group: partitions})[group])
    committed = {at: noted for at, noted in found.items() if noted.offset >= 0}
    beginnings = offsets_at(
        admin, [at for at in partitions if at not in committed], spec=OffsetSpec.EARLIEST
    )
    return {
        at: GroupPosition(offset=committed[at].offset, metadata=committed[at].metadata or "")
        if at in committed
        else GroupPosition(offset=beginnings[at])
        for at in partitions
    }


def offsets_at(
    admin: KafkaAdminClient,
    partitions: list[TopicPartition],
    *,
    spec: OffsetSpec = OffsetSpec.LATEST,
    committed: bool = True,
) -> dict[TopicPartition, int]:
    """The beginning or end of each partition.

    `committed`: the end of the committed records. Otherwise the end of all records that were
    written, with those of transactions whose marker is still missing. (The method `end_offsets` of
    a consumer leaves out partitions once others were assigned to it: kafka-python 3.0.12.)
    """
    if not partitions:
        return {}
    found = admin.list_partition_offsets(
        dict.fromkeys(partitions, spec),
        isolation_level="read_committed" if committed else "read_uncommitted",
    )
    return {at: end.offset for at, end in found.items()}


def lags(
    consumer: KafkaConsumer,
    offsets: Mapping[TopicPartition, int],
    *,
    ends: Mapping[TopicPartition, int],
) -> dict[TopicPartition, Lag]:
    """How many records lie between each offset and the end of its partition.

    A transaction's marker takes an offset, so a group that has read everything may stand before the
    end. So the last offsets are read, and only records are counted.
    """
    starts = {at: max(offset, ends[at] - COUNTED_RECORDS) for at, offset in offsets.items()}
    seen: dict[TopicPartition, list[int]] = {at: [] for at in offsets}
    for record in records_between(consumer, starts=starts, ends=ends):
        seen[TopicPartition(record.topic, record.partition)].append(record.offset)
    return {
        at: _lag(offset, start=starts[at], end=ends[at], seen=seen[at])
        for at, offset in offsets.items()
    }


def _lag(offset: int, *, start: int, end: int, seen: list[int]) -> Lag:
    """The lag of one partition whose records from `start` on are `seen`."""
    unread = start > offset
    return Lag(
        records=end - offset if unread else len(seen),
        done_at=seen[-1] + 1 if seen else start,
        at_most=unread,
    )
