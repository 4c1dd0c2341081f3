"""Tables, due times, and a state that is written to a changelog and restored from it."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engine.state.disk import DiskRows, Memory
from pipeline.engine.state.memory import MemoryRows
from pipeline.engine.state.restore import StateBehind, joined_point
from pipeline.engine.state.rows import StateRow
from pipeline.engine.state.state import Point, State, point_from_metadata, point_row
from pipeline.engine.state.tables import time_from_due

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pipeline.engine.state.rows import Rows

MEMORY = Memory()
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(minutes: int) -> datetime:
    return NOON + timedelta(minutes=minutes)


@pytest.fixture(params=["memory", "disk"])
def rows(request, tmp_path) -> Iterator[Rows]:
    """The rows of a partition, in memory or on disk."""
    if request.param == "memory":
        yield MemoryRows()
        return
    held = DiskRows(tmp_path / "rows", identity="test", memory=Memory())
    yield held
    held.close()


def committed(state: State) -> None:
    state.apply(Point(state.point.sequence + 1))


def test_a_unit_sees_its_own_changes_and_others_do_not(rows):
    state = State(["one"], rows)
    table = state.tables["one"]
    table.put(b"a", b"old")
    committed(state)
    table.put(b"a", b"new")
    table.delete(b"b")
    assert table.get(b"a") == b"new"
    assert rows.store(b"\x01").get(b"a") == StateRow(b"old")
    committed(state)
    assert rows.store(b"\x01").get(b"a") == StateRow(b"new")
    assert table.changes == {}


def test_due_rows_come_in_order_of_time_and_then_key(rows):
    state = State(["zero", "one", "two"], rows)
    table = state.tables["one"]
    table.put(b"c", b"", due_at=at(1))
    table.put(b"b", b"", due_at=at(2))
    table.put(b"a", b"", due_at=at(2))
    table.put(b"never", b"")
    table.put(b"later", b"", due_at=at(3))
    state.tables["zero"].put(b"other", b"", due_at=at(1))
    state.tables["two"].put(b"other", b"", due_at=at(1))
    committed(state)
    assert table.due(at(2)) == [b"c", b"a", b"b"]


def test_a_change_of_this_unit_moves_a_due_row(rows):
    state = State(["one"], rows)
    table = state.tables["one"]
    table.put(b"a", b"", due_at=at(1))
    table.put(b"b", b"", due_at=at(1))
    table.put(b"c", b"", due_at=at(9))
    committed(state)
    table.put(b"a", b"", due_at=at(5))
    table.delete(b"b")
    table.put(b"c", b"", due_at=at(1))
    assert table.due(at(2)) == [b"c"]
    committed(state)
    assert table.due(at(2)) == [b"c"]
    assert table.due(at(5)) == [b"c", b"a"]


def test_the_first_due_time_follows_the_rows(rows):
    state = State(["one", "two"], rows)
    assert state.first_due() is None
    assert not state.tables["one"].has_due(at(99))
    for table, minutes in (("two", 7), ("one", 5), ("one", 3)):
        state.tables[table].put(b"%d" % minutes, b"", due_at=at(minutes))
        committed(state)
        assert time_from_due(state.first_due() or 0) == at(minutes)
    state.tables["one"].delete(b"3")
    committed(state)
    assert time_from_due(state.first_due() or 0) == at(5)
    assert [state.tables["one"].has_due(at(minutes)) for minutes in (4, 5)] == [False, True]
    state.tables["one"].put(b"5", b"", due_at=None)
    state.tables["two"].delete(b"7")
    committed(state)
    assert state.first_due() is None
    assert state.sizes() == {"one": 1, "two": 0}


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
    _check_restore(steps, MemoryRows)


@pytest.mark.parametrize("recent_rows", [2, 8_000])
@settings(max_examples=20, deadline=None)
@given(steps=changes)
def test_a_state_on_disk_restored_from_its_changelog_is_the_state(recent_rows, steps):
    def fresh() -> Rows:
        folder = Path(ended.enter_context(TemporaryDirectory()))
        rows = DiskRows(folder / "rows", identity="test", memory=MEMORY)
        ended.callback(rows.close)
        return rows

    with ExitStack() as ended:
        patch = ended.enter_context(pytest.MonkeyPatch.context())
        patch.setattr("pipeline.engine.state.disk_store.RECENT_ROWS", recent_rows)
        _check_restore(steps, fresh)


def _check_restore(steps, fresh: Callable[[], Rows]) -> None:
    state = State(["one", "two"], fresh())
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

    restored = State(["one", "two"], fresh())
    half = len(changelog) // 2
    restored.restore(changelog[:half])
    restored.restore(changelog[half // 2 :])
    for held in (state, restored):
        assert held.point == point
        for table in ("one", "two"):
            expected = {key: row for (name, key), row in model.items() if name == table}
            assert {k: held.tables[table].get(k) for k in expected} == {
                key: octets for key, (octets, _) in expected.items()
            }
            due = [key for key, (_, due) in expected.items() if due is not None and due <= 25]
            assert sorted(held.tables[table].due(at(25))) == sorted(due)
            assert held.sizes()[table] == len(expected)


def test_changes_that_are_discarded_or_reverted_leave_no_trace():
    state = State(["one"])
    state.tables["one"].put(b"a", b"1")
    state.begin_undo()
    state.tables["one"].put(b"b", b"2")
    state.tables["one"].put(b"a", b"3")
    state.tables["one"].delete(b"a")
    state.undo()
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
