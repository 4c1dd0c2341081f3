"""Each event is stored once, whatever is killed, moved or refused meanwhile."""

from __future__ import annotations

import asyncio
import errno
import logging
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from aiokafka.errors import CommitFailedError
from clickhouse_connect.driver.exceptions import DatabaseError, DataError, OperationalError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.engine.batch import Batch
from pipeline.kafka import topics
from pipeline.kafka.readers import OURS_ALONE
from pipeline.process import troubles
from pipeline.records import MtResult
from pipeline.store.decoding import KIND_OF, TableRows
from pipeline.store.sink.lane import BlockLimits, OffsetGap
from pipeline.store.sink.sink import Sink
from tests.store.kafka_fake import FakeOffsets, FakeWriter, Fuse, Killed, Log, play
from tests.store.samples import SAMPLES, kafka_record, mo_message
from tests.store.sink.logs import RAW, TABLES, expected, log_of

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = BlockLimits(rows=7, seconds=0.0)


def sink_of(writer: Any, **fields: Any) -> Sink:
    return Sink(writer=writer, limits=LIMITS, **fields)


async def run_with_kills(*, seed: int, log: Log, kills: list[int]) -> FakeWriter:
    """Kill the store at each of these awaits in turn, then let it finish."""
    fuse = Fuse()
    offsets, writer = FakeOffsets(fuse), FakeWriter(fuse)
    for attempt, burn_at in enumerate([*kills, None]):
        fuse.burn_at, fuse.steps = burn_at, 0
        done = await play(sink_of(writer), log, offsets, seed=seed + attempt)
        assert done or burn_at is not None
    return writer


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("burn_at", range(1, 60))
async def test_a_kill_at_any_await_loses_nothing_and_doubles_nothing(burn_at: int) -> None:
    log = log_of(seed=5, records=20)
    writer = await run_with_kills(seed=burn_at, log=log, kills=[burn_at])
    for topic, table in TABLES.items():
        assert writer.places(table) == expected(log, topic)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 10**6), st.lists(st.integers(1, 40), max_size=12))
def test_many_kills_lose_nothing_and_double_nothing(seed: int, kills: list[int]) -> None:
    log = log_of(seed=seed)
    writer = asyncio.run(run_with_kills(seed=seed, log=log, kills=kills))
    for topic, table in TABLES.items():
        assert writer.places(table) == expected(log, topic)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 40))
def test_partitions_that_move_to_other_stores_in_mid_block_lose_nothing(
    seed: int, burn_at: int
) -> None:
    async def scenario() -> tuple[Log, FakeWriter]:
        log = log_of(seed=seed)
        fuse = Fuse(burn_at)
        offsets, writer = FakeOffsets(fuse), FakeWriter(fuse)
        await play(sink_of(writer), log, offsets, seed=seed)
        fuse.burn_at = None
        halves = [[tp for tp in log.records if tp[1] % 2 == half] for half in (0, 1)]
        for half in halves:
            assert await play(sink_of(writer), log, offsets, seed=seed, partitions=half)
        return log, writer

    log, writer = asyncio.run(scenario())
    for topic, table in TABLES.items():
        # Pieces of one block have other tokens: here a row may be there twice, FINAL reads it once.
        assert sorted(set(writer.places(table))) == expected(log, topic)


async def test_of_each_record_it_is_told_once_and_only_after_it_can_be_asked_for() -> None:
    log = log_of(seed=3)
    fuse = Fuse()
    offsets, writer = FakeOffsets(fuse), FakeWriter(fuse)
    told: list[tuple[str, int]] = []

    def stored(topic: str, count: int) -> None:
        told.append((topic, count))
        assert len(writer.places(TABLES[topic])) >= sum(n for name, n in told if name == topic)

    assert await play(sink_of(writer, stored=stored), log, offsets, seed=3)
    for topic in TABLES:
        assert sum(n for name, n in told if name == topic) == len(expected(log, topic))


async def test_what_is_open_when_partitions_are_revoked_is_neither_written_nor_committed() -> None:
    offsets, writer = FakeOffsets(Fuse()), FakeWriter(Fuse())
    sink = Sink(writer=writer, limits=BlockLimits(rows=100, seconds=3600))
    sink.start(offsets)
    tp = (topics.MO_MESSAGE, 0)
    await sink.assigned([tp])
    await sink.add(Batch(*tp, [kafka_record(tp[0], mo_message(), offset=0)], 0, 1))
    await sink.revoked()
    assert (writer.rows, offsets.positions) == ({}, {})
    assert await sink.assigned([tp]) == {tp: 0}
    await sink.revoked()


async def test_unreadable_records_are_kept_and_passed() -> None:
    tp = (topics.MT_REQUEST, 0)
    values: list[Any] = [None, b"\xc3\x01short", mo_message(), b"no record"] * 5
    log = Log({tp: [kafka_record(tp[0], v, offset=i) for i, v in enumerate(values)]}, {tp: 20})
    offsets, writer = FakeOffsets(Fuse()), FakeWriter(Fuse())
    assert await play(sink_of(writer), log, offsets, seed=1)
    letters = writer.rows["dead_letter_rows"]
    assert [row[1:4] for row in letters] == [(tp[0], 0, offset) for offset in range(20)]
    assert {row[8:10] for row in letters} == {("store", "unreadable-record")}
    assert "mt_request_rows" not in writer.rows


async def test_ten_unreadable_records_of_our_own_in_a_row_make_their_topic_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(troubles._Here, "folder", tmp_path / troubles.FOLDER)
    monkeypatch.setattr(troubles._Here, "name", "store")
    ours, other = (topics.MO_MESSAGE, 0), (topics.MT_RESULT, 0)
    values: list[Any] = [b"?"] * 9 + [mo_message()] + [b"?"] * 12
    offsets, writer = FakeOffsets(Fuse()), FakeWriter(Fuse())
    sink = sink_of(writer)
    sink.start(offsets)
    await sink.assigned([ours, other])
    records = [kafka_record(ours[0], v, offset=i) for i, v in enumerate(values)]
    await sink.add(Batch(*ours, records, 0, 22))
    junk = [kafka_record(other[0], b"?", offset=i) for i in range(30)]
    async with asyncio.timeout(30):
        for start in range(0, 30, 5):
            await sink.add(Batch(*other, junk[start : start + 5], start, start + 5))
        while not sink.waits_for or offsets.positions.get(other, (0, ""))[0] < 30:  # noqa: ASYNC110 - two conditions of two tasks
            await asyncio.sleep(0)
    assert "mo-message waits: 10 records of mo-message in a row cannot be read" in sink.waits_for
    assert not sink.ready
    ((name, words),) = troubles.waiting(tmp_path)  # what `twoway status` shows
    assert name == "store"
    assert words.startswith("mo-message waits for an operator: 10 records of mo-message in a row")
    assert offsets.positions[ours][0] < 20
    assert len([r for r in writer.rows["dead_letter_rows"] if r[1] == other[0]]) == 30
    await sink.revoked()
    assert sink.waits_for == ""
    assert list(troubles.waiting(tmp_path)) == []


@pytest.mark.parametrize("topic", sorted(set(KIND_OF) - OURS_ALONE))
async def test_no_junk_in_a_topic_that_others_may_write_stops_the_store(topic: str) -> None:
    log = Log(
        {(topic, 0): [kafka_record(topic, b"?", offset=i) for i in range(40)]}, {(topic, 0): 40}
    )
    offsets, writer = FakeOffsets(Fuse()), FakeWriter(Fuse())
    assert await play(sink_of(writer), log, offsets, seed=1)
    assert len(writer.rows["dead_letter_rows"]) == 40


class Picky(FakeWriter):
    """Refuses a block that holds a row of certain offsets, as ClickHouse would."""

    refuses: frozenset[int] = frozenset()

    async def insert(self, rows: TableRows, *, tag: str) -> None:
        if rows.table != "dead_letter_rows" and any(row[-1] in self.refuses for row in rows.rows):
            raise DataError("Unable to create Python array for attempt: 1099511627776")
        await super().insert(rows, tag=tag)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 10**6),
    st.frozensets(st.integers(0, 30)),
    st.lists(st.integers(1, 40), max_size=8),
)
def test_rows_that_are_refused_become_letters_and_the_others_rows_once_whatever_is_killed(
    seed: int, refuses: frozenset[int], kills: list[int]
) -> None:
    async def scenario() -> tuple[Log, Picky]:
        log = log_of(seed=seed, records=20)
        fuse = Fuse()
        offsets, writer = FakeOffsets(fuse), Picky(fuse)
        writer.refuses = refuses
        for attempt, burn_at in enumerate([*kills, None]):
            fuse.burn_at, fuse.steps = burn_at, 0
            assert await play(sink_of(writer), log, offsets, seed=seed + attempt) or burn_at
        return log, writer

    log, writer = asyncio.run(scenario())
    letters = sorted((row[1], row[2], row[3]) for row in writer.rows.get("dead_letter_rows", ()))
    wanted = []
    for topic, table in TABLES.items():
        places = expected(log, topic)
        assert writer.places(table) == [place for place in places if place[1] not in refuses]
        wanted += [(topic, *place) for place in places if place[1] in refuses]
    assert letters == sorted(wanted)


@pytest.mark.parametrize("attempt", [2**31, 2**40, -(2**31) - 1])
async def test_an_integer_beyond_its_column_is_a_dead_letter(attempt: int) -> None:
    (sample,) = [s for s in SAMPLES if type(s) is MtResult]
    values = [sample, msgspec.structs.replace(sample, attempt=attempt), sample]
    tp = (topics.MT_RESULT, 0)
    log = Log({tp: [kafka_record(tp[0], v, offset=i) for i, v in enumerate(values)]}, {tp: 3})
    offsets, writer = FakeOffsets(Fuse()), FakeWriter(Fuse())
    assert await play(sink_of(writer), log, offsets, seed=1)
    assert writer.places("mt_result_rows") == [(0, 0), (0, 2)]
    assert [row[3] for row in writer.rows["dead_letter_rows"]] == [1]


class Refusing:
    """Fails some times, then works."""

    def __init__(self, target: Any, method: str, error: Exception, times: int) -> None:
        self._target, self._method, self._error, self.left = target, method, error, times

    def __getattr__(self, name: str) -> Any:
        if name != self._method:
            return getattr(self._target, name)

        async def refuse(*given: Any, **named: Any) -> Any:
            if self.left:
                self.left -= 1
                raise self._error
            return await getattr(self._target, name)(*given, **named)

        return refuse


@pytest.fixture
def quick_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.store.sink.retries.FIRST_PAUSE_SECONDS", 0.001)


@pytest.mark.usefixtures("quick_pauses")
async def test_a_clickhouse_that_is_away_for_a_while_gets_the_same_block_again() -> None:
    log = log_of(seed=3)
    offsets, writer = FakeOffsets(Fuse()), FakeWriter(Fuse())
    away = Refusing(writer, "insert", OperationalError("away"), 3)
    assert await play(sink_of(away), log, offsets, seed=3)
    assert away.left == 0
    for topic, table in TABLES.items():
        assert writer.places(table) == expected(log, topic)


@pytest.mark.usefixtures("quick_pauses")
async def test_a_commit_that_is_refused_is_made_again() -> None:
    log = log_of(seed=4)
    offsets, writer = FakeOffsets(Fuse()), FakeWriter(Fuse())
    assert await play(
        sink_of(writer), log, Refusing(offsets, "commit", CommitFailedError(), 4), seed=4
    )  # type: ignore[arg-type]
    assert writer.places(TABLES[topics.MO_RAW]) == expected(log, topics.MO_RAW)


@pytest.mark.usefixtures("quick_pauses")
async def test_a_clickhouse_that_stays_away_ends_the_store_and_commits_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log = log_of(seed=3)
    offsets, writer = FakeOffsets(Fuse()), FakeWriter(Fuse())
    away = Refusing(writer, "insert", OperationalError("connection refused"), 10**6)
    sink = sink_of(away, give_up_seconds=0.0)
    with caplog.at_level(logging.CRITICAL):
        assert not await play(sink, log, offsets, seed=3)
    assert "clickhouse has been failing for 0 s: connection refused" in caplog.text
    stored = {tp for tp, rs in log.records.items() if rs}
    assert all(offsets.positions.get(tp, (0, ""))[0] == 0 for tp in stored)


async def test_a_clickhouse_that_refuses_dead_letters_too_ends_the_store_and_commits_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    # CANNOT_PARSE_INPUT_ASSERTION_FAILED: as of a row, and so would each row be passed over.
    refusal = DatabaseError("Code: 27. DB::Exception: it said 'Meet me at noon'", code=27)
    log = log_of(seed=3)
    offsets, writer = FakeOffsets(Fuse()), FakeWriter(Fuse())
    sink = sink_of(Refusing(writer, "insert", refusal, 10**6), give_up_seconds=0.0)
    with caplog.at_level(logging.WARNING):
        assert not await play(sink, log, offsets, seed=3)
    assert "dead letters are refused" in caplog.text
    assert "Meet me" not in caplog.text
    stored = {tp for tp, rs in log.records.items() if rs}
    assert all(offsets.positions.get(tp, (0, ""))[0] == 0 for tp in stored)


NO_ROOM = {
    "our-disk": OSError(errno.ENOSPC, "No space left on device"),
    "our-quota": OSError(errno.EDQUOT, "Disk quota exceeded"),
    "a-reservation": DatabaseError("Code: 243. DB::Exception: Cannot reserve 3.38 MiB", code=243),
    "its-disk": DatabaseError(
        "Code: 75. DB::Exception: Cannot write: , errno: 28, strerror: No space left", code=75
    ),
}


@pytest.mark.usefixtures("quick_pauses")
@pytest.mark.parametrize("error", NO_ROOM.values(), ids=NO_ROOM)
async def test_a_store_without_room_tries_for_ever_and_says_why(error: Exception) -> None:
    log = log_of(seed=3)
    offsets, writer = FakeOffsets(Fuse()), FakeWriter(Fuse())
    full = Refusing(writer, "insert", error, 10**6)
    sink = sink_of(full, give_up_seconds=0.0)
    playing = asyncio.create_task(play(sink, log, offsets, seed=3))
    while full.left > 10**6 - 9:  # noqa: ASYNC110 - nothing tells when
        await asyncio.sleep(0.001)
    assert not playing.done()
    assert not sink.ready
    assert sink.waits_for.startswith("clickhouse has been failing for ")
    full.left = 0
    assert await playing
    assert not sink.waits_for
    for topic, table in TABLES.items():
        assert writer.places(table) == expected(log, topic)


async def test_records_that_kafka_deleted_unread_are_said_and_passed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tp = (topics.MO_MESSAGE, 0)
    offsets = FakeOffsets(Fuse(), {tp: (5, "")}, {tp: 9})
    sink = sink_of(FakeWriter(Fuse()))
    sink.start(offsets)
    assert await sink.assigned([tp]) == {tp: 9}
    assert "deleted offsets 5 to 8" in caplog.text
    await sink.revoked()


async def test_a_hole_between_batches_is_refused() -> None:
    tp = (topics.MO_MESSAGE, 0)
    sink = sink_of(FakeWriter(Fuse()))
    sink.start(FakeOffsets(Fuse()))
    await sink.assigned([tp])
    with pytest.raises(OffsetGap):
        await sink.add(Batch(*tp, [], 3, 4))
    await sink.revoked()


async def test_a_slow_topic_does_not_hold_up_another() -> None:
    slow, quick = (topics.MO_RAW, 0), (topics.MO_MESSAGE, 0)
    release = asyncio.Event()

    class SlowForRaw(FakeWriter):
        async def insert(self, rows: TableRows, *, tag: str) -> None:
            if rows.table == "mo_raw_rows":
                await release.wait()
            await super().insert(rows, tag=tag)

    offsets, writer = FakeOffsets(Fuse()), SlowForRaw(Fuse())
    sink = sink_of(writer)
    sink.start(offsets)
    await sink.assigned([slow, quick])
    await sink.add(Batch(*slow, [kafka_record(slow[0], RAW, offset=0)], 0, 1))
    await sink.add(Batch(*quick, [kafka_record(quick[0], mo_message(), offset=0)], 0, 1))
    while offsets.positions.get(quick, (0, ""))[0] < 1:
        await offsets.moved.wait()
        offsets.moved.clear()
    assert offsets.positions[slow][0] == 0
    release.set()
    await sink.revoked()


def test_a_killed_store_is_told_from_a_broken_test() -> None:
    assert issubclass(Killed, Exception)
    with pytest.raises(Killed):
        Fuse(1).step()
