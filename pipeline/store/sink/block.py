"""A block: the records of one topic that the store inserts at once, named by their bounds.

Before the insert, the bounds are committed as metadata of the group's offsets. So a restarted store
forms the same block again, and ClickHouse recognises it by its token.
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
    """32 hex digits, a hash of the topic and the bounds."""
    words = ",".join(f"{p}:{start}-{end}" for p, (start, end) in sorted(bounds.items()))
    return hashlib.blake2b(f"{topic} {words}".encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Block:
    """A block; its records are ordered by partition, then by offset."""

    topic: str
    bounds: Bounds
    records: Sequence[ConsumerRecord]

    @property
    def token(self) -> str:
        """The name of the block, by which ClickHouse recognises a repeated insert."""
        return token_of(self.topic, self.bounds)

    def offsets_before(self) -> dict[tuple[str, int], tuple[int, str]]:
        """What to commit before the insert: the same offsets, with the bounds as metadata."""
        token = self.token
        return {
            (self.topic, partition): (start, metadata_from_end(tag=token, end=end))
            for partition, (start, end) in self.bounds.items()
        }

    def offsets_after(self) -> dict[tuple[str, int], tuple[int, str]]:
        """What to commit after the insert: the offsets after the block."""
        return {(self.topic, partition): (end, "") for partition, (_, end) in self.bounds.items()}


def metadata_from_end(*, tag: str, end: int) -> str:
    """The metadata of one partition's offset while a block is being written."""
    return f"{_VERSION} {tag} {end}"


def end_from_metadata(metadata: str) -> tuple[str, int] | None:
    """Token and end of the block that was being written; None if there was none."""
    words = metadata.split(" ")
    if len(words) != 3 or words[0] != _VERSION or not words[2].isdigit():
        return None
    return words[1], int(words[2])
