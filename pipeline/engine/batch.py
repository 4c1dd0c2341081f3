"""What one poll of one partition brought, handed to an agent as one event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka.structs import ConsumerRecord


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition in offset order, and the positions around them.

    `start` is where the consumer stood before the poll and `end` where it stands after it: the next
    batch starts at `end`. Transaction markers and aborted records lie between without being in
    `records`, which may be empty.
    """

    topic: str
    partition: int
    records: Sequence[ConsumerRecord]
    start: int
    end: int
