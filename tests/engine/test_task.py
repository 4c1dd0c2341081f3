"""The task of one partition: what its units of work hold, and what is too large for one."""

from __future__ import annotations

import asyncio
import itertools
from types import SimpleNamespace

import pytest

from pipeline.engine.plan import AgentPlan
from pipeline.engine.state.restore import StateBehind
from pipeline.engine.state.state import State
from pipeline.engine.task import PartitionTask
from tests.engine.faulty_producer import Fault, FaultyProducer

TOPICS = ("orders", "clock")
ROWS = 5
AT_ONCE = 2


class Clockwork:
    """Orders wait as rows until the clock releases them, at most so many in one unit."""

    def __init__(self) -> None:
        self.restored_times = 0

    def restored(self, state) -> None:
        self.restored_times += 1

    def process_record(self, work, record) -> bool:
        table = work.tables["waiting"]
        if record.topic == "orders":
            table.put(record.value, b"", due_at=None)
            work.send("out", None, b"taken " + record.value)
            return False
        keys = [key for key in map(str.encode, "abcde") if table.get(key) is not None][:AT_ONCE]
        for key in keys:
            table.delete(key)
            work.send("out", None, b"gone " + key)
        return len(keys) == AT_ONCE

    def refuse(self, work, record, error) -> None:
        raise error


def record(topic: str, offset: int, value: bytes = b""):
    return SimpleNamespace(topic=topic, partition=0, offset=offset, timestamp=offset, value=value)


ORDERS = [record("orders", n, b"abcde"[n : n + 1]) for n in range(ROWS)]
TICK = record("clock", 7)
AFTER = record("orders", ROWS, b"z")
BATCH = [*ORDERS, TICK, AFTER]
LINES = [b"taken a", b"taken b", b"taken c", b"taken d", b"taken e"]
LINES += [b"gone a", b"gone b", b"gone c", b"gone d", b"gone e", b"taken z"]


def task_on(producer: FaultyProducer, state: State) -> PartitionTask:
    plan = AgentPlan(
        name="clockwork",
        group="clockwork",
        bootstrap="",
        topics=TOPICS,
        may_skip=frozenset(),
        tables=("waiting",),
        changelog="changelog",
        processor=lambda _partition: Clockwork(),
    )
    task = PartitionTask(plan=plan, partition=0, states=None, ends=None, failed=None, turns=None)
    task.state, task._producer = state, producer
    task.intake.begin_at({"orders": ROWS + 1, "clock": 8})  # taken off the queue, all of them
    return task


async def worked_off(task: PartitionTask, records) -> None:
    left = records
    while left:
        left = await task._work(left)


def lines(producer: FaultyProducer) -> list[bytes | None]:
    return [value for _, value in producer.visible.get("out", [])]


async def test_a_record_too_large_for_a_unit_is_cut_and_what_follows_waits():
    producer = FaultyProducer()
    await worked_off(task_on(producer, State(["waiting"])), BATCH)
    assert lines(producer) == LINES
    unfinished = {"orders": ROWS, "clock": 7}
    assert producer.committed == [unfinished, unfinished, {"orders": ROWS + 1, "clock": 8}]


@pytest.mark.parametrize("after", [False, True], ids=["before-its-effect", "after-its-effect"])
async def test_a_fault_anywhere_in_its_units_loses_and_doubles_nothing(after):
    for at in itertools.count():
        producer = FaultyProducer(at=at, after=after)
        try:
            await worked_off(task_on(producer, State(["waiting"])), BATCH)
        except Fault:
            pass
        else:
            break
        state = State(["waiting"])
        state.restore(producer.visible.get("changelog", []))
        again = FaultyProducer(before=producer)
        left = [r for r in BATCH if r.offset >= producer.offsets.get(r.topic, 0)]
        await worked_off(task_on(again, state), left)
        assert lines(again) == LINES
        assert again.offsets == {"orders": ROWS + 1, "clock": 8}
    assert at > 3 * len(("begin", "send offsets", "commit"))


async def test_what_a_new_start_would_not_mend_waits_for_an_operator_and_ends_nothing():
    failures = []
    task = task_on(FaultyProducer(), State(["waiting"]))
    task._failed = lambda partition, error: failures.append((partition, error))

    async def begin() -> None:
        raise StateBehind("rows are lost")

    task._begin = begin
    task.start()
    await asyncio.wait([task._loop_task])
    assert (task.waits_for, failures) == ("rows are lost", [])
    await task.pause()
    task.start()  # a partition that comes back is tried again
    assert task.waits_for == ""
    await asyncio.wait([task._loop_task])
    assert task.waits_for == "rows are lost"


async def test_a_bad_environment_still_ends_the_process():
    failures = []
    task = task_on(FaultyProducer(), State(["waiting"]))
    task._failed = lambda partition, error: failures.append((partition, str(error)))

    async def begin() -> None:
        raise Fault("no broker")

    task._begin = begin
    task.start()
    await asyncio.wait([task._loop_task])
    assert (task.waits_for, failures) == ("", [(0, "no broker")])
