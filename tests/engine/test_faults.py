"""A fault at every await of a unit of work: either nothing of the unit is visible, or all of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from aiokafka.errors import IllegalOperation, ProducerFenced

from pipeline.engine.state.disk import DiskRows, Memory
from pipeline.engine.state.memory import MemoryRows
from pipeline.engine.state.state import State
from pipeline.engine.unit_of_work import UnitOfWork
from tests.engine.faulty_producer import Fault, FaultyProducer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipeline.engine.state.rows import Rows

STEPS = (
    "begin",
    *("hand over a batch", "acknowledge a batch") * 4,  # two of the output, two of the changelog
    "send offsets",
    "commit",
)


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


class FencedProducer(FaultyProducer):
    """Fenced while batches are under way: the batches have the cause; later calls do not."""

    async def send_batch(self, batch, topic, *, partition):
        future = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(future.set_exception, ProducerFenced())
        return future

    async def send_offsets_to_transaction(self, offsets, group) -> None:
        raise IllegalOperation("Not in the middle of a transaction")


async def test_what_ended_a_transaction_is_raised_and_not_what_followed_from_it(rows):
    work = unit_of_work(State(["one"], rows))
    with pytest.raises(ProducerFenced):
        await work.commit(FencedProducer(), group="g", offsets={"mo-raw": 4})
    assert State(["one"], rows).point.sequence == 0
