"""A block: the records of one topic that are written in one insert, and the bounds that name it.

The bounds are committed as metadata of the group's offsets before the insert, so that a store that
starts again forms the very same block, and the engine knows it by its token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from aiokafka.structs import ConsumerRecord

#: Partition -> (first offset, offset after the last).
Bounds = Mapping[int, tuple[int, int]]

_VERSION: Final = "block-1"


def token_of(topic: str, bounds: Bounds) -> str:
    """32 hex digits that name these bounds of this topic."""
    words = ",".join(f"{p}:{start}-{end}" for p, (start, end) in sorted(bounds.items()))
    return hashlib.blake2b(f"{topic} {words}".encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Block:
    """Records in the order of `bounds`' partitions and of their offsets."""

    topic: str
    bounds: Bounds
    records: Sequence[ConsumerRecord]

    @property
    def token(self) -> str:
        """Names the block for ClickHouse's deduplication of inserts."""
        return token_of(self.topic, self.bounds)

    def offsets_before(self) -> dict[tuple[str, int], tuple[int, str]]:
        """What is committed before the insert: the offsets unmoved, the bounds as metadata."""
        token = self.token
        return {
            (self.topic, partition): (start, metadata_from_end(tag=token, end=end))
            for partition, (start, end) in self.bounds.items()
        }

    def offsets_after(self) -> dict[tuple[str, int], tuple[int, str]]:
        """What is committed after the insert."""
        return {(self.topic, partition): (end, "") for partition, (_, end) in self.bounds.items()}


def metadata_from_end(*, tag: str, end: int) -> str:
    """The metadata of one partition's offset while a block is being written."""
    return f"{_VERSION} {tag} {end}"


def end_from_metadata(metadata: str) -> tuple[str, int] | None:
    """Token and end of the block that was being written; None when none was."""
    words = metadata.split(" ")
    if len(words) != 3 or words[0] != _VERSION or not words[2].isdigit():
        return None
    return words[1], int(words[2])
