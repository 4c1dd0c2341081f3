"""Tables, due times, and the state that goes through the changelog."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.restore import StateBehind, joined_point
from pipeline.engine.state import Point, State, point_from_metadata, point_row
from pipeline.engine.tables import Row, Store, Table

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_a_unit_sees_its_own_changes_and_others_do_not():
    store = Store()
    store.put(b"a", Row(b"old"))
    table = Table(store)
    table.put(b"a", b"new")
    table.delete(b"b")
    assert table.get(b"a") == b"new"
    assert store.get(b"a") == Row(b"old")
    table.apply()
    assert store.get(b"a") == Row(b"new")
    assert table.changes == {}


def test_due_rows_come_in_order_of_time_and_then_key():
    table = Table(Store())
    table.put(b"c", b"", due_at=at(1))
    table.put(b"b", b"", due_at=at(2))
    table.put(b"a", b"", due_at=at(2))
    table.put(b"never", b"")
    table.put(b"later", b"", due_at=at(3))
    table.apply()
    assert table.due(at(2)) == [b"c", b"a", b"b"]


def test_a_change_of_this_unit_moves_a_due_row():
    table = Table(Store())
    table.put(b"a", b"", due_at=at(1))
    table.put(b"b", b"", due_at=at(1))
    table.put(b"c", b"", due_at=at(9))
    table.apply()
    table.put(b"a", b"", due_at=at(5))
    table.delete(b"b")
    table.put(b"c", b"", due_at=at(1))
    assert table.due(at(2)) == [b"c"]


changes = st.lists(
    st.tuples(
        st.sampled_from(["one", "two"]),
        st.binary(max_size=3),
        st.none() | st.tuples(st.binary(max_size=5), st.none() | st.integers(1, 50)),
        st.booleans(),
    ),
    max_size=40,
)


@given(changes)
def test_a_state_restored_from_its_changelog_is_the_state(steps):
    state = State(["one", "two"])
    changelog: list[tuple[bytes, bytes | None]] = []
    model: dict[tuple[str, bytes], tuple[bytes, int | None]] = {}
    for table, key, value, commit in steps:
        if value is None:
            state.tables[table].delete(key)
            model.pop((table, key), None)
        else:
            octets, due = value
            state.tables[table].put(key, octets, due_at=None if due is None else at(due))
            model[table, key] = value
        if commit:
            changelog += state.changes()
            state.apply(Point(state.point.sequence + 1, NOON, {"mo-raw": 5}))
            changelog.append(point_row(state.point))
    changelog += state.changes()
    point = Point(state.point.sequence + 1, NOON, {"mo-raw": 6})
    state.apply(point)
    changelog.append(point_row(point))

    restored = State(["one", "two"])
    for key, row in changelog:
        restored.restore(key, row)
    assert restored.point == point
    for table in ("one", "two"):
        expected = {key: held for (name, key), held in model.items() if name == table}
        assert {k: restored.tables[table].get(k) for k in expected} == {
            key: octets for key, (octets, _) in expected.items()
        }
        due = [key for key, (_, due) in expected.items() if due is not None and due <= 25]
        assert sorted(restored.tables[table].due(at(25))) == sorted(due)
        assert restored.sizes()[table] == len(expected)


def test_changes_that_are_discarded_or_reverted_leave_no_trace():
    state = State(["one"])
    state.tables["one"].put(b"a", b"1")
    snapshot = state.snapshot()
    state.tables["one"].put(b"b", b"2")
    state.revert(snapshot)
    assert state.tables["one"].get(b"b") is None
    assert state.tables["one"].get(b"a") == b"1"
    state.discard()
    assert state.changes() == []


@pytest.mark.parametrize(
    "point", [Point(), Point(7, NOON, {}), Point(3, NOON + timedelta(microseconds=1), {})]
)
def test_metadata_of_offsets_tells_sequence_and_time(point):
    told = point_from_metadata(point.metadata())
    assert told == Point(point.sequence, point.time, {})


@pytest.mark.parametrize("foreign", ["", "hello", ";", "x;2026-01-01"])
def test_metadata_that_is_not_ours_tells_nothing(foreign):
    assert point_from_metadata(foreign) is None


def test_offsets_may_be_ahead_of_the_state_when_there_was_nothing_to_write():
    joined = joined_point(
        restored=Point(4, at(0), {"mo": 10, "clock": 5}),
        committed=Point(4, at(9), {"mo": 8, "clock": 50, "numbers": 1}),
        where="x",
    )
    assert joined == Point(4, at(9), {"mo": 10, "clock": 50, "numbers": 1})


def test_a_transaction_the_changelog_does_not_know_stops_the_worker():
    with pytest.raises(StateBehind, match="transaction 5, but the changelog ends with 4"):
        joined_point(restored=Point(4), committed=Point(5), where="changelog[0]")
