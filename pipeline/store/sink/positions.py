"""Where the store continues in each partition, and the blocks that were being written there."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from pipeline.store import metrics
from pipeline.store.sink.block import Bounds, end_from_metadata, token_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

log = logging.getLogger(__name__)

Partition = tuple[str, int]
Position = tuple[int, str]  # offset, metadata


class Offsets(Protocol):
    """The committed offsets of the store's consumer group. May raise `KafkaError`."""

    async def commit(self, positions: Mapping[Partition, Position]) -> None:
        """Commit, as a member of the group."""

    async def committed(self, partitions: Collection[Partition]) -> Mapping[Partition, Position]:
        """What is committed; a partition without a commit is absent."""

    async def beginnings(self, partitions: Collection[Partition]) -> Mapping[Partition, int]:
        """The first offset that Kafka still has."""


def starts_of(
    positions: Mapping[Partition, Position], beginnings: Mapping[Partition, int]
) -> dict[Partition, int]:
    """The offset from which to read each partition.

    If Kafka deleted records before they were stored, an error is logged and counted.
    """
    starts: dict[Partition, int] = {}
    for (topic, partition), (offset, _) in positions.items():
        first = beginnings[topic, partition]
        starts[topic, partition] = max(first, offset)
        if first > offset:
            metrics.LOST.labels(topic).inc(first - offset)
            log.error(
                "%s[%d]: Kafka deleted offsets %d to %d before they were stored",
                topic, partition, offset, first - 1,
            )  # fmt: skip
    return starts


def unfinished(topic: str, starts: Mapping[int, int], metadata: Mapping[int, str]) -> list[Bounds]:
    """The blocks that an earlier owner was writing, limited to the partitions that are ours now."""
    blocks: dict[str, dict[int, tuple[int, int]]] = {}
    for partition, words in metadata.items():
        found = end_from_metadata(words)
        if found is not None and found[1] > starts[partition]:
            token, end = found
            blocks.setdefault(token, {})[partition] = (starts[partition], end)
    for token, bounds in blocks.items():
        if token_of(topic, bounds) != token:
            log.warning(
                "%s: a block of an earlier run comes back in pieces %s: "
                "its rows may be written twice and are read once",
                topic, sorted(bounds),
            )  # fmt: skip
    return list(blocks.values())
