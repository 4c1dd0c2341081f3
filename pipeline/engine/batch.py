"""The records of one poll of one partition, which an agent gets as one event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiokafka.structs import ConsumerRecord


@dataclass(frozen=True, slots=True)
class Batch:
    """Records of one partition in offset order, and the positions around them.

    `start` is the consumer's position before the poll, and `end` its position after it. The next
    batch starts at `end`. `records` has no transaction markers and no aborted records, and may be
    empty.
    """

    topic: str
    partition: int
    records: Sequence[ConsumerRecord]
    start: int
    end: int
