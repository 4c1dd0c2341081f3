"""Which records a poll may take from the fetcher when partitions are reassigned meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import nullcontext
from types import SimpleNamespace

import pytest
from faust.types import TP

from pipeline.engine.faust.consumer_thread import ConsumerThread

PARTITION = TP("mo-raw", 3)


class Fetcher:
    """aiokafka's fetcher, as a poll sees it: records by partition, and positions that they move."""

    _closed = False

    def __init__(self) -> None:
        self.subscription = SimpleNamespace(assignment=assignment(0))
        self._subscriptions = SimpleNamespace(
            subscription=self.subscription,
            reassignment_in_progress=False,
            fetch_context=nullcontext,
        )
        self._records: list[object] = []
        self._waiters: list[asyncio.Future[None]] = []

    async def fetched_records(self, partitions, *, timeout):  # noqa: ASYNC109 - as aiokafka's
        assert not self._subscriptions.reassignment_in_progress, "it would wait for the assignment"
        assert timeout == 0
        taken, self._records = self._records, []
        self.subscription.assignment.state.position += len(taken)
        return {PARTITION: taken} if taken else {}

    def _create_fetch_waiter(self):
        self._waiters.append(asyncio.get_running_loop().create_future())
        return self._waiters[-1]

    def fetch(self, *records: object) -> None:
        self._records += records
        for waiter in self._waiters:
            waiter.set_result(None)
        self._waiters.clear()

    def begin_reassignment(self) -> None:
        self._subscriptions.reassignment_in_progress = True

    def assign(self, position: int) -> None:
        self._subscriptions.reassignment_in_progress = False
        self.subscription.assignment = assignment(position)


def assignment(position: int) -> SimpleNamespace:
    state = SimpleNamespace(position=position, has_valid_position=True)
    return SimpleNamespace(state=state, state_value=lambda _tp: state)


@pytest.fixture
def fetcher() -> Fetcher:
    return Fetcher()


@pytest.fixture
def thread(fetcher) -> ConsumerThread:
    made = object.__new__(ConsumerThread)
    made.consumer = SimpleNamespace(flow_active=True)
    made._consumer = SimpleNamespace(
        _closed=False,
        _fetcher=fetcher,
        _subscription=fetcher._subscriptions,
        _coordinator=SimpleNamespace(check_errors=lambda: None),
    )
    return made


async def polling(thread: ConsumerThread) -> asyncio.Task[list[object]]:
    """A poll that waits for records."""
    task = asyncio.create_task(thread._poll({PARTITION}, 60.0))
    await asyncio.sleep(0)
    return task


async def test_what_is_there_is_taken_without_waiting(thread, fetcher):
    fetcher.fetch("a", "b")
    (batch,) = await thread._poll({PARTITION}, 60.0)
    assert (batch.start, batch.end, batch.records) == (0, 2, ["a", "b"])


async def test_what_comes_is_taken_when_it_comes(thread, fetcher):
    task = await polling(thread)
    fetcher.fetch("a")
    (batch,) = await task
    assert (batch.start, batch.end) == (0, 1)


async def test_nothing_comes_in_all_the_time(thread):
    assert await thread._poll({PARTITION}, 0.01) == []


async def test_what_a_new_assignment_brings_stays_for_a_later_poll(thread, fetcher):
    task = await polling(thread)
    fetcher.begin_reassignment()
    fetcher.assign(4_419)
    fetcher.fetch("a", "b")
    assert await task == []
    (batch,) = await thread._poll({PARTITION}, 60.0)
    assert (batch.start, batch.end, batch.records) == (4_419, 4_421, ["a", "b"])


async def test_a_poll_does_not_outlast_the_assignment_it_began_in(thread, fetcher):
    task = await polling(thread)
    fetcher.begin_reassignment()
    fetcher.fetch()
    assert await task == []


async def test_what_comes_before_the_agents_can_take_it_stays(thread, fetcher):
    fetcher.fetch("a")
    thread.consumer.flow_active = False
    assert await thread._poll({PARTITION}, 0.01) == []
    thread.consumer.flow_active = True
    (batch,) = await thread._poll({PARTITION}, 60.0)
    assert (batch.start, batch.end) == (0, 1)
