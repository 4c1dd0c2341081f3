"""Where restored records and groups stand, over every kind of log."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cli.backup import places
from pipeline.cli.backup.record_file import SavedRecord
from pipeline.kafka import readers, topics

EXACT = sorted(readers.NAMED_BY_OFFSET)
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
def logs(draw: st.DrawFn) -> tuple[int, list[int], int]:
    """Where a partition starts, the offsets of its records, and its end."""
    offsets = sorted(draw(st.sets(st.integers(0, 60), max_size=20)))
    start = draw(st.integers(0, offsets[0] if offsets else 60))
    end = draw(st.integers(max(offsets[-1] + 1 if offsets else 0, start), 70))
    return start, offsets, end


@given(log=logs(), topic=st.sampled_from(EXACT))
def test_a_record_that_others_name_keeps_its_offset(
    log: tuple[int, list[int], int], topic: str
) -> None:
    _, offsets, end = log

    assert restored_at(topic, offsets, end) == (offsets, end)


@given(log=logs(), topic=st.sampled_from(SQUEEZED))
def test_other_records_move_up_and_keep_their_order_and_end(
    log: tuple[int, list[int], int], topic: str
) -> None:
    _, offsets, end = log

    found, reached = restored_at(topic, offsets, end)

    assert reached == end
    assert found == list(range(end - len(offsets), end))
    assert all(new >= old for new, old in zip(found, offsets, strict=True))


@given(log=logs(), at=st.integers(0, 70), topic=st.sampled_from([*EXACT, *SQUEEZED]))
def test_a_group_reads_on_at_the_same_record(
    log: tuple[int, list[int], int], at: int, topic: str
) -> None:
    start, offsets, end = log
    at = min(max(at, start), end)
    unread = [offset for offset in offsets if offset >= at]

    place = places.place_of_position(
        topic, at, start=start, first=first_of(offsets), end=end, unread=len(unread)
    )

    found, _ = restored_at(topic, offsets, end)
    assert [new for new in found if new >= place] == found[len(found) - len(unread) :]
    assert at <= place <= end
    assert place >= (found[0] if found else end)  # the new partition begins there


@pytest.mark.parametrize("topic", [*EXACT, *SQUEEZED])
def test_a_group_that_missed_deleted_records_still_misses_them(topic: str) -> None:
    place = places.place_of_position(topic, 3, start=10, first=10, end=20, unread=10)

    assert place == 3


@given(log=logs(), at=st.integers(0, 70), topic=st.sampled_from([*EXACT, *SQUEEZED]))
def test_a_group_reads_on_in_each_part_of_a_partition(
    log: tuple[int, list[int], int], at: int, topic: str
) -> None:
    """Of a partition that is split, a part has some of the records."""
    start, offsets, end = log
    at = min(max(at, start), end)
    for part in (offsets[::2], offsets[1::2]):
        unread = [offset for offset in part if offset >= at]
        first = places.first_place(
            topic, first=first_of(part), end=end, records=len(part), is_split=True
        )
        place = places.place_of_position(
            topic,
            at,
            start=start,
            first=first_of(part),
            end=end,
            unread=len(unread),
            is_split=True,
        )

        assert first == end - len(part)
        assert place == end - len(unread)
        assert all(new >= old for new, old in zip(range(first, end), part, strict=True))


def test_nobody_names_an_offset_of_a_changelog() -> None:
    changelog = topics.CONVERSATION_CHANGELOG

    assert places.new_end(changelog, end=900, records=3) == 3
    assert places.first_place(changelog, first=400, end=900, records=3) == 0


@pytest.mark.parametrize("count", [0, 1, places.MOST_RECORDS, places.MOST_RECORDS + 1])
def test_no_more_records_are_held_than_the_bound(count: int) -> None:
    lengths = [len(each.records) for each in places.without_gaps(records_at(list(range(count))))]

    assert sum(lengths) == count
    assert max(lengths, default=0) <= places.MOST_RECORDS
