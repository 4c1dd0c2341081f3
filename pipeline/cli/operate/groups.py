"""How far a consumer group has come, counted in records and not in transaction markers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from kafka import TopicPartition
from kafka.admin import OffsetSpec
from kafka.errors import (
    CoordinatorLoadInProgressError,
    CoordinatorNotAvailableError,
    NotCoordinatorError,
)

from pipeline.cli.ask.reading import records_between
from pipeline.cli.ask.waiting import ProgressDeadline, pause

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kafka import KafkaAdminClient, KafkaConsumer

COORDINATOR_SECONDS: Final = 15
COUNTED_RECORDS: Final = 1_000  # more than so many offsets behind are not read one by one

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class GroupPosition:
    """Where a group stands in a partition: the next offset it reads, and what it noted there."""

    offset: int
    metadata: str = ""


@dataclass(frozen=True, kw_only=True)
class Lag:
    """Records yet to be read, `at_most` when markers may be among them; `done_at` ends the lag."""

    records: int
    done_at: int
    at_most: bool = False


def coordinated(ask: Callable[[], T]) -> T:
    """What `ask` answers; asked again while the broker is still finding the group's coordinator."""
    patience = ProgressDeadline(seconds=COORDINATOR_SECONDS)
    while True:
        try:
            return ask()
        except (CoordinatorNotAvailableError, CoordinatorLoadInProgressError, NotCoordinatorError):
            if patience.is_over():
                raise
            pause()


def positions(
    admin: KafkaAdminClient, *, group: str, partitions: list[TopicPartition]
) -> dict[TopicPartition, GroupPosition]:
    """The group's position in each partition; its beginning where it has committed nothing."""
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

    Of what is committed; or, without, of all that was written: also what a transaction wrote whose
    marker is still on its way. (A consumer's `end_offsets` leaves partitions out once it has been
    assigned others: kafka-python 3.0.12.)
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
    """What lies between each offset and its end.

    A transaction's marker takes an offset, so a group that has read all may stand before the end;
    the last offsets are therefore read, and only records count.
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
