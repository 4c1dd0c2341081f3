"""Collects the records of one topic into blocks. Pure: the caller gives the time."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from pipeline.store.sink.block import Block, Bounds

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from aiokafka.structs import ConsumerRecord

BLOCK_OCTETS: Final = 32 << 20  # a block stays one part: ClickHouse splits inserts above 256 MiB
ROOM_BLOCKS: Final = 2  # blocks that are read ahead of the block that is being written
FULL_BLOCKS: Final = 4


class OffsetGap(RuntimeError):
    """Records are missing between two batches. The reader is wrong; nothing may be committed."""


class PolledBatch(Protocol):
    """The records of one poll of one partition; `start` and `end` are the offsets around them."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def records(self) -> Sequence[ConsumerRecord]: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class BlockLimits:
    """The limits at which a block closes: rows, age in seconds, octets."""

    rows: int
    seconds: float
    octets: int = BLOCK_OCTETS


@dataclass(slots=True)
class _Chunk:
    partition: int
    records: Sequence[ConsumerRecord]
    end: int
    arrived: float


class Lane:
    """Takes batches of one topic's partitions, and makes blocks of them."""

    def __init__(self, topic: str, limits: BlockLimits) -> None:
        self.topic = topic
        self._limits = limits
        self._chunks: deque[_Chunk] = deque()
        self._next: dict[int, int] = {}  # where the next block of a partition starts
        self._read_to: dict[int, int] = {}
        self._unfinished: deque[Bounds] = deque()  # blocks of an earlier run, formed first
        self.rows = 0
        self._octets = 0

    def assign(self, offsets: Mapping[int, int], unfinished: Iterable[Bounds]) -> None:
        """Start again with these partitions at these offsets; form the unfinished blocks first."""
        self._chunks.clear()
        self._next = dict(offsets)
        self._read_to = dict(offsets)
        self._unfinished = deque(unfinished)
        self.rows = self._octets = 0

    def add(self, batch: PolledBatch, *, now: float) -> None:
        """Take a batch. Records read before are dropped; a gap raises `OffsetGap`."""
        if batch.partition not in self._next:
            return
        read_to = self._read_to[batch.partition]
        if batch.start > read_to:
            raise OffsetGap(
                f"{batch.topic}[{batch.partition}] goes on at {batch.start}, not at {read_to}"
            )
        if batch.end <= read_to:
            return
        records = [record for record in batch.records if record.offset >= read_to]
        self._chunks.append(_Chunk(batch.partition, records, batch.end, now))
        self._read_to[batch.partition] = batch.end
        self.rows += len(records)
        self._octets += _octets_of(records)

    def has_room(self, partition: int) -> bool:
        """Whether more of a partition may be read. Unfinished blocks are read first."""
        if self._unfinished:
            bounds = self._unfinished[0]
            return partition in bounds and self._read_to[partition] < bounds[partition][1]
        limits = self._limits
        return self.rows < ROOM_BLOCKS * limits.rows and self._octets < ROOM_BLOCKS * limits.octets

    @property
    def is_full(self) -> bool:
        """Whether the lane holds so much that the next batch must wait."""
        limits = self._limits
        return not self._unfinished and (
            self.rows >= FULL_BLOCKS * limits.rows or self._octets >= FULL_BLOCKS * limits.octets
        )

    def due_at(self) -> float | None:
        """When the next block closes; the time may be past. None: more must be read first."""
        if self._unfinished:
            bounds = self._unfinished[0]
            read = all(self._read_to[p] >= end for p, (_, end) in bounds.items())
            return 0.0 if read else None
        if self.rows >= self._limits.rows or self._octets >= self._limits.octets:
            return 0.0
        return self._chunks[0].arrived + self._limits.seconds if self._chunks else None

    def next_block(self, *, now: float) -> Block | None:
        """Remove and return the next block if it is due. Write it, or assign the lane again."""
        due_at = self.due_at()
        if due_at is None or due_at > now:
            return None
        ends = self._unfinished.popleft() if self._unfinished else None
        taken = self._take_fresh() if ends is None else self._take_until(ends)
        by_partition: dict[int, list[ConsumerRecord]] = {}
        bounds: dict[int, tuple[int, int]] = {}
        for chunk in taken:
            by_partition.setdefault(chunk.partition, []).extend(chunk.records)
            bounds[chunk.partition] = (self._next[chunk.partition], chunk.end)
        self._next.update({partition: end for partition, (_, end) in bounds.items()})
        records = [record for partition in sorted(bounds) for record in by_partition[partition]]
        self.rows -= len(records)
        self._octets -= _octets_of(records)
        return Block(self.topic, bounds, records)

    def _take_fresh(self) -> list[_Chunk]:
        """Chunks in order of arrival, up to the limits. The last may exceed the limit of octets."""
        taken: list[_Chunk] = []
        rows = octets = 0
        while self._chunks and rows < self._limits.rows and octets < self._limits.octets:
            chunk = self._chunks.popleft()
            room = self._limits.rows - rows
            if len(chunk.records) > room:
                head, tail = _split(chunk, chunk.records[room].offset)
                self._chunks.appendleft(tail)
                chunk = head
            taken.append(chunk)
            rows += len(chunk.records)
            octets += _octets_of(chunk.records)
        return taken

    def _take_until(self, bounds: Bounds) -> list[_Chunk]:
        """Exactly the records within the bounds of an unfinished block."""
        taken: list[_Chunk] = []
        kept: deque[_Chunk] = deque()
        for chunk in self._chunks:
            start_end = bounds.get(chunk.partition)
            already = [c.end for c in taken if c.partition == chunk.partition]
            if start_end is None or (already and already[-1] >= start_end[1]):
                kept.append(chunk)
            elif chunk.end <= start_end[1]:
                taken.append(chunk)
            else:
                head, tail = _split(chunk, start_end[1])
                taken.append(head)
                kept.append(tail)
        self._chunks = kept
        return taken


def _octets_of(records: Iterable[ConsumerRecord]) -> int:
    return sum(len(record.value or b"") for record in records)


def _split(chunk: _Chunk, offset: int) -> tuple[_Chunk, _Chunk]:
    """The records below `offset`, and the others."""
    head = [record for record in chunk.records if record.offset < offset]
    tail = chunk.records[len(head) :]
    return (
        _Chunk(chunk.partition, head, offset, chunk.arrived),
        _Chunk(chunk.partition, tail, chunk.end, chunk.arrived),
    )
