"""Where restored records and groups stand, over every kind of log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.backup import places
from pipeline.cli.backup.record_file import SavedRecord
from pipeline.kafka import topics

EXACT = sorted(places.NAMED_BY_OFFSET)
SQUEEZED = [topics.MO_PART, topics.CLOCK, topics.DEAD_LETTER]


def records_at(offsets: list[int]) -> list[SavedRecord]:
    return [SavedRecord(offset, 0, None, b"", []) for offset in offsets]


def first_of(offsets: list[int]) -> int | None:
    return offsets[0] if offsets else None


def restored_at(topic: str, offsets: list[int], end: int) -> tuple[list[int], int]:
    """The offsets of the records in a new log that is written as the plan says, and its end."""
    place = places.first_place(topic, first=first_of(offsets), end=end, records=len(offsets))
    plan = (
        places.stretches_of(records_at(offsets), end=end)
        if topic in EXACT
        else places.without_gaps(records_at(offsets))
    )
    found = []
    for stretch in plan:
        found += range(place, place + len(stretch.records))
        place += len(stretch.records) + stretch.gap
    return found, place


@st.composite
def logs(draw: st.DrawFn) -> tuple[list[int], int]:
    """Offsets of the records of a partition, and its end."""
    offsets = sorted(draw(st.sets(st.integers(0, 60), max_size=20)))
    end = draw(st.integers(offsets[-1] + 1 if offsets else 0, 70))
    return offsets, end


@given(log=logs(), topic=st.sampled_from(EXACT))
def test_a_record_that_others_name_keeps_its_offset(log: tuple[list[int], int], topic: str) -> None:
    offsets, end = log

    assert restored_at(topic, offsets, end) == (offsets, end)


@given(log=logs(), topic=st.sampled_from(SQUEEZED))
def test_other_records_move_up_and_keep_their_order_and_end(
    log: tuple[list[int], int], topic: str
) -> None:
    offsets, end = log

    found, reached = restored_at(topic, offsets, end)

    assert reached == end
    assert found == list(range(end - len(offsets), end))
    assert all(new >= old for new, old in zip(found, offsets, strict=True))


@given(log=logs(), at=st.integers(0, 70), topic=st.sampled_from([*EXACT, *SQUEEZED]))
def test_a_group_reads_on_at_the_same_record(
    log: tuple[list[int], int], at: int, topic: str
) -> None:
    offsets, end = log
    at = min(at, end)
    unread = [offset for offset in offsets if offset >= at]

    place = places.place_of_position(
        topic, at, first=first_of(offsets), end=end, unread=len(unread)
    )

    found, _ = restored_at(topic, offsets, end)
    assert [new for new in found if new >= place] == found[len(found) - len(unread) :]
    assert at <= place <= end


def test_a_group_that_missed_deleted_records_still_misses_them() -> None:
    place = places.place_of_position(topics.MO_PART, 3, first=10, end=20, unread=10)

    assert place == 3


def test_nobody_names_an_offset_of_a_changelog() -> None:
    changelog = topics.CONVERSATION_CHANGELOG

    assert places.new_end(changelog, end=900, records=3) == 3
    assert places.first_place(changelog, first=400, end=900, records=3) == 0


@pytest.mark.parametrize("count", [0, 1, places.MOST_RECORDS, places.MOST_RECORDS + 1])
def test_no_more_records_are_held_than_the_bound(count: int) -> None:
    lengths = [len(each.records) for each in places.without_gaps(records_at(list(range(count))))]

    assert sum(lengths) == count
    assert max(lengths, default=0) <= places.MOST_RECORDS
