"""Where a restored record stands: the offsets of a backup in the new topics.

An offset is part of ids (of dead letters, of messages by SMPP), orders the rows of ClickHouse, and
is the point of an agent. So a restored partition ends where the old one ended, and no record stands
below its old offset. Before the first record there is nothing, as after retention. Offsets that no
record has, those of transaction markers, are kept in the topics whose records are named by offset;
in the others they are left out, so records move up (deploy/decisions/0161).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from pipeline.kafka import readers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipeline.cli.backup.record_file import SavedRecord

#: The most records that are held at once.
MOST_RECORDS: Final = 10_000


class Stretch(NamedTuple):
    """Records whose offsets follow each other, and how many offsets after them no record has."""

    records: list[SavedRecord]
    gap: int


def stretches_of(records: Iterable[SavedRecord], *, end: int) -> Iterator[Stretch]:
    """The records of a partition that ends at `end`, up to each gap."""
    held: list[SavedRecord] = []
    for record in records:
        if held and (gap := record.offset - held[-1].offset - 1):
            yield Stretch(held, gap)
            held = []
        elif len(held) == MOST_RECORDS:
            yield Stretch(held, 0)
            held = []
        held.append(record)
    if held:
        yield Stretch(held, end - held[-1].offset - 1)


def without_gaps(records: Iterable[SavedRecord]) -> Iterator[Stretch]:
    """The records of a partition, one directly after the other."""
    held: list[SavedRecord] = []
    for record in records:
        held.append(record)
        if len(held) == MOST_RECORDS:
            yield Stretch(held, 0)
            held = []
    if held:
        yield Stretch(held, 0)


def keeps_offsets(topic: str, *, is_split: bool) -> bool:
    """Whether each record of a topic gets its old offset. Not in another partition than its own."""
    return topic in readers.NAMED_BY_OFFSET and not is_split


def new_end(topic: str, *, end: int, records: int) -> int:
    """Where the partition ends in the new topic. Nobody names an offset of a changelog."""
    return records if topic in readers.CHANGELOGS else end


def first_place(
    topic: str, *, first: int | None, end: int, records: int, is_split: bool = False
) -> int:
    """The offset of a partition's first record in the new topic; its end if there is none."""
    if first is not None and keeps_offsets(topic, is_split=is_split):
        return first
    return new_end(topic, end=end, records=records) - records


def place_of_position(
    topic: str,
    offset: int,
    *,
    start: int,
    first: int | None,
    end: int,
    unread: int,
    is_split: bool = False,
) -> int:
    """Where a group reads on that stood at `offset` with `unread` records from there on.

    `start`: where the old partition began. A group that stood below it stays there: what was
    deleted unread stays missed.
    """
    if offset < start:
        return offset
    if keeps_offsets(topic, is_split=is_split):
        return max(offset, end if first is None else first)
    return end - unread
