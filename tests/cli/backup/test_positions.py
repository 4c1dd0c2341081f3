"""Where an agent stands: what its group has committed, and the point in its changelog."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from kafka import TopicPartition
from kafka.structs import OffsetAndMetadata

from pipeline.cli.backup.manifest import SavedPosition
from pipeline.cli.backup.save_topics import positions_of, saved_positions
from pipeline.cli.terminal.failure import CommandError
from pipeline.engine.state.state import Point
from pipeline.kafka import readers
from pipeline.kafka.topics import MO_RAW, MT_REQUEST

NOON = datetime(2026, 3, 29, 12, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 29, 12, 1, tzinfo=UTC)


def point(sequence: int, time: datetime, **offsets: int) -> Point:
    names = {"raw": MO_RAW, "request": MT_REQUEST}
    return Point(sequence, time, {names[name]: offset for name, offset in offsets.items()})


def committed(found: Point, partition: int = 0) -> dict[TopicPartition, OffsetAndMetadata]:
    return {
        TopicPartition(topic, partition): OffsetAndMetadata(offset, found.metadata(), -1)
        for topic, offset in found.offsets.items()
    }


NOTHING = Point()


@pytest.mark.parametrize(
    ("in_group", "in_changelog", "stands"),
    [
        pytest.param(NOTHING, NOTHING, NOTHING, id="a new installation"),
        pytest.param(
            point(5, NOON, raw=3, request=2),
            point(5, NOON, raw=3, request=2),
            point(5, NOON, raw=3, request=2),
            id="both the same",
        ),
        pytest.param(
            point(5, LATER, raw=9),
            point(5, NOON, raw=3, request=2),
            point(5, LATER, raw=9, request=2),
            id="offsets without rows are committed alone",
        ),
        pytest.param(
            NOTHING,
            point(5, NOON, raw=3, request=2),
            point(5, NOON, raw=3, request=2),
            id="Kafka forgot the offsets of a group that is away",
        ),
    ],
)
def test_an_agent_stands_where_group_and_changelog_say(
    in_group: Point, in_changelog: Point, stands: Point
) -> None:
    found = positions_of(readers.CONVERSATION, committed(in_group), {0: in_changelog}, 1)

    assert found == {
        (topic, 0): (offset, stands.metadata()) for topic, offset in stands.offsets.items()
    }


def test_a_changelog_that_lost_rows_is_not_saved() -> None:
    with pytest.raises(CommandError, match=r"damaged: conversation-changelog\[1\].* rows are lost"):
        positions_of(readers.CONVERSATION, committed(point(5, NOON, raw=3), partition=1), {}, 2)


def test_a_group_without_state_stands_where_it_committed() -> None:
    held = {TopicPartition(MO_RAW, 1): OffsetAndMetadata(4, "block-1 t 9", -1)}

    assert positions_of(readers.STORE, held, {}, 2) == {(MO_RAW, 1): (4, "block-1 t 9")}


def test_positions_are_saved_by_topic_and_partition_with_what_is_unread() -> None:
    saved = saved_positions({(MO_RAW, 1): (4, "x")}, {(MO_RAW, 1, 4): 7}, 3)

    assert saved == {MO_RAW: [None, SavedPosition(4, "x", 7), None]}
