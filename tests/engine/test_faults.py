"""A fault at every await of a unit of work: nothing of it is visible, or everything is."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from pipeline.engine.disk import DiskRows, Memory
from pipeline.engine.memory import MemoryRows
from pipeline.engine.state import State
from pipeline.engine.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.engine.tables import Rows

BATCH_RECORDS = 3
STEPS = (
    "begin",
    *("hand over a batch", "acknowledge a batch") * 4,  # two of the output, two of the changelog
    "send offsets",
    "commit",
)


class Fault(Exception):
    pass


class Batch:
    def __init__(self) -> None:
        self.records: list[tuple[bytes | None, bytes | None]] = []

    def append(self, *, key, value, timestamp):
        if len(self.records) == BATCH_RECORDS:
            return None
        self.records.append((key, value))
        return True

    def close(self) -> None:
        pass

    def record_count(self) -> int:
        return len(self.records)


class FaultyProducer:
    """A producer and its broker. Fails at a step, before or after that has had its effect."""

    def __init__(self, *, at: int | None = None, after: bool = False) -> None:
        self._at, self._after = at, after
        self.steps: list[str] = []
        self._open: dict[str, list[tuple[bytes | None, bytes | None]]] = {}
        self._open_offsets: dict[str, int] = {}
        self.visible: dict[str, list[tuple[bytes | None, bytes | None]]] = {}
        self.offsets: dict[str, int] = {}

    def _fails(self, name: str) -> bool:
        self.steps.append(name)
        return len(self.steps) - 1 == self._at

    async def _step(self, name, effect=lambda: None) -> None:
        fails = self._fails(name)
        await asyncio.sleep(0)
        if fails and not self._after:
            raise Fault
        effect()
        if fails:
            raise Fault

    async def begin_transaction(self) -> None:
        await self._step("begin")

    def create_batch(self) -> Batch:
        return Batch()

    async def send_batch(self, batch, topic, *, partition):
        rows = self._open.setdefault(topic, [])
        offset = len(self.visible.get(topic, [])) + len(rows)
        await self._step("hand over a batch", lambda: rows.extend(batch.records))
        future = asyncio.get_running_loop().create_future()
        if self._fails("acknowledge a batch"):
            future.set_exception(Fault())
        else:
            future.set_result(SimpleNamespace(offset=offset))
        return future

    async def send_offsets_to_transaction(self, offsets, group) -> None:
        offered = {tp.topic: held.offset for tp, held in offsets.items()}
        await self._step("send offsets", lambda: self._open_offsets.update(offered))

    async def commit_transaction(self) -> None:
        def show() -> None:
            for topic, rows in self._open.items():
                self.visible.setdefault(topic, []).extend(rows)
            self.offsets.update(self._open_offsets)
            self._open = {}

        await self._step("commit", show)


@pytest.fixture(params=["memory", "disk"])
def rows(request, tmp_path) -> Iterator[Rows]:
    if request.param == "memory":
        yield MemoryRows()
        return
    held = DiskRows(tmp_path / "rows", identity="test", memory=Memory())
    yield held
    held.close()


def unit_of_work(state: State) -> UnitOfWork:
    work = UnitOfWork(state=state, partition=0, changelog="changelog")
    for number in range(4):
        key = b"%d" % number
        work.tables["one"].put(key, b"new")
        work.send("out", key, b"new")
    return work


def contents(state: State) -> dict[bytes, bytes | None]:
    return {b"%d" % number: state.tables["one"].get(b"%d" % number) for number in range(4)}


async def test_the_steps_are_those_that_are_failed(rows):
    producer = FaultyProducer()
    await unit_of_work(State(["one"], rows)).commit(producer, group="g", offsets={"mo-raw": 4})
    assert tuple(producer.steps) == STEPS
    assert rows.reached.offset == len(producer.visible["changelog"]) == 5


@pytest.mark.parametrize("after", [False, True], ids=["before-its-effect", "after-its-effect"])
@pytest.mark.parametrize("at", range(len(STEPS)), ids=lambda at: f"{at}-{STEPS[at]}")
async def test_all_or_nothing_is_visible_and_rows_are_never_ahead(rows, at, after):
    producer = FaultyProducer(at=at, after=after)
    with pytest.raises(Fault):
        await unit_of_work(State(["one"], rows)).commit(producer, group="g", offsets={"mo-raw": 4})
    shown = STEPS[at] == "commit" and after
    assert len(producer.visible.get("out", [])) == (4 if shown else 0)
    assert producer.offsets == ({"mo-raw": 4} if shown else {})
    left = State(["one"], rows)
    assert left.point.sequence == 0
    assert set(contents(left).values()) == {None}

    tail = producer.visible.get("changelog", [])[rows.reached.offset :]
    left.restore(tail)
    assert left.point.sequence == (1 if shown else 0)
    assert left.point.offsets == producer.offsets
    assert set(contents(left).values()) == {b"new" if shown else None}
