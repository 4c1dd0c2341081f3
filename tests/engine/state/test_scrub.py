"""A row that was removed for good is in no file of the database, whenever the process ends."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from rocksdict import BlockBasedOptions, DBCompressionType

from pipeline.engine.state.disk import DiskRows, Memory
from pipeline.engine.state.state import SCRUB_KEY, Point, State, point_row

if TYPE_CHECKING:
    from pathlib import Path

TABLES = ("other", "held")
DIGITS = b"447912345678"


class Legible(Memory):
    """Rows in plain form: neither compressed nor stored as differences from the row before."""

    def options(self):
        blocks = BlockBasedOptions()
        blocks.set_block_restart_interval(1)
        options = super().options()
        options.set_block_based_table_factory(blocks)
        options.set_compression_type(DBCompressionType.none())
        return options


MEMORY = Legible()


def opened(folder: Path) -> DiskRows:
    return DiskRows(folder, identity="test", memory=MEMORY)


def files_with_digits(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.rglob("*") if DIGITS in file.read_bytes())


def fill(state: State, changelog: list[tuple[bytes, bytes | None]]) -> None:
    """Put rows of many handsets and of the one into files of several ages; some stay unflushed."""
    for age in range(3):
        table = state.tables["held"]
        for other in range(500):
            table.put(b"4479%08d" % (other * 190_000 + age), b"a row", due_at=None)
        table.put(DIGITS, b"of " + DIGITS + b"%d" % age)
        state.tables["other"].put(b"%d" % age, b"another")
        changelog += state.changes()
        state.apply(Point(age + 1))
        changelog.append(point_row(state.point))
        if age < 2:
            state.rows._database.flush(True)


def remove(state: State, changelog: list[tuple[bytes, bytes | None]]) -> bytes:
    state.tables["held"].delete(DIGITS)
    changelog += state.changes()
    scrub = state.numbers_of(["held"])
    changelog.append((SCRUB_KEY, scrub))
    return scrub


@pytest.mark.parametrize("crash", [None, "before-the-scrub", "before-the-write"])
def test_a_row_removed_for_good_is_in_no_file(tmp_path, crash):
    folder = tmp_path / "rows"
    state, changelog = State(TABLES, opened(folder)), []
    fill(state, changelog)
    assert files_with_digits(folder)
    written = len(changelog)
    scrub = remove(state, changelog)
    if crash != "before-the-write":
        state.apply(Point(9), scrub=scrub)
    assert files_with_digits(folder)
    if crash is not None:
        state.rows.close()
        state = State(TABLES, opened(folder))
        if crash == "before-the-write":
            state.restore(changelog[written:])
        assert files_with_digits(folder)
    asyncio.run(asyncio.to_thread(state.rows.scrub))
    assert files_with_digits(folder) == []
    assert state.tables["held"].get(DIGITS) is None
    assert len(state.tables["held"].keys(b"4479")) == 1_500
    assert state.tables["other"].get(b"2") == b"another"
    state.rows.close()
    assert files_with_digits(folder) == []


@pytest.mark.parametrize("due_at", [None, datetime(2030, 1, 1, tzinfo=UTC)])
def test_a_row_that_was_the_last_of_its_file_is_in_no_list_of_files(tmp_path, due_at):
    """RocksDB's MANIFEST names the first and the last key of each file."""
    folder = tmp_path / "rows"
    state = State(TABLES, opened(folder))
    state.tables["held"].put(DIGITS, b"of " + DIGITS, due_at=due_at)
    state.apply(Point(1))
    state.apply(Point(9), scrub=remove(state, []))
    asyncio.run(asyncio.to_thread(state.rows.scrub))
    assert files_with_digits(folder) == []
    state.rows.close()
    assert files_with_digits(folder) == []


def test_nothing_is_rewritten_when_nothing_was_asked_for(tmp_path):
    rows = opened(tmp_path / "rows")
    fill(State(TABLES, rows), [])
    files = rows._database.live_files()
    rows.scrub()
    assert rows._database.live_files() == files
    rows.close()


@pytest.mark.parametrize("held", ["memory", "disk"])
def test_keys_are_found_by_how_they_begin(tmp_path, held):
    rows = opened(tmp_path / "rows") if held == "disk" else None
    state = State(TABLES, rows)
    table = state.tables["held"]
    assert table.is_empty
    for key in (b"4479", b"44791", b"44792", b"448", b"447"):
        table.put(key, b"")
    state.tables["other"].put(b"44793", b"")
    state.apply(Point(1))
    table.delete(b"44791")
    table.put(b"44790", b"")
    assert table.keys(b"4479") == [b"4479", b"44790", b"44792"]
    assert not table.is_empty
    state.rows.close()
