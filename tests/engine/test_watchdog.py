"""When a worker that makes no progress is ended, and when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer

from pipeline.engine import watchdog
from pipeline.engine.watchdog import LOOKS, Stillness, Watchdog, left_of
from pipeline.process.stop import EXIT_FAILED
from tests.engine.counting_agent import HANG, sources
from tests.engine.named_workers import NamedWorker, count_one, create_topics, until

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS = 100.0


def stood_still(*marks: Mapping[int, str], every: float = 10.0) -> dict[int, float]:
    """The watchdog's result after the last of these checks."""
    stillness = Stillness(step_seconds=10.0)
    said: dict[int, float] = {}
    for number, seen in enumerate(marks, 1):
        said = stillness.look(seen, now=1_000 + number * every)
    return said


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        pytest.param([{0: "a"}], {0: 0}, id="seen-once"),
        pytest.param([{0: "a"}] * 4, {0: 30}, id="the-same-four-times"),
        pytest.param([{0: "a"}, {0: "b"}, {0: "b"}], {0: 10}, id="moved-once"),
        pytest.param([{0: "a", 1: "a"}, {0: "a", 1: "b"}], {0: 10, 1: 0}, id="one-of-two-moved"),
        pytest.param([{0: "a"}, {}, {0: "a"}], {0: 0}, id="gone-and-come-back"),
        pytest.param([{0: "a"}, {}], {}, id="gone"),
    ],
)
def test_how_long_a_partition_has_stood_still(marks, expected):
    assert stood_still(*marks) == expected


def test_time_in_which_the_process_was_stopped_does_not_count():
    assert stood_still({0: "a"}, {0: "a"}, every=500.0) == {0: 0}


@pytest.mark.parametrize(
    ("bounds", "taken", "left"),
    [
        pytest.param({"a": (0, 9)}, {"a": 9}, "", id="all-taken"),
        pytest.param({"a": (0, 9)}, {"a": 4}, "5 offsets of a to take", id="some-left"),
        pytest.param({"a": (7, 9)}, {}, "2 offsets of a to take", id="never-read"),
        pytest.param({"a": (9, 9)}, {}, "", id="never-read-and-all-deleted"),
        pytest.param({"a": (0, 0), "b": (0, 3)}, {"b": 1}, "2 offsets of b to take", id="two"),
    ],
)
def test_what_is_left_to_take(bounds, taken, left):
    assert left_of(bounds, taken) == left


class Task:
    """A task that makes no progress."""

    def __init__(self, *, at_work: bool = False, taken: int = 0, moves: bool = False) -> None:
        self.at_work = at_work
        self._taken, self._moves, self._marks = taken, moves, 0

    def mark(self) -> int:
        self._marks += self._moves
        return self._marks

    def next_offsets(self) -> dict[str, int]:
        return {"a": self._taken}


@pytest.fixture
def reasons(monkeypatch) -> list[str]:
    """Why the worker was ended; here stopping it does not succeed."""
    said: list[str] = []
    monkeypatch.setattr(watchdog, "stop_for", said.append)
    return said


@pytest.mark.parametrize(
    ("task", "bounds", "ended"),
    [
        pytest.param(Task(taken=9), {"a": (0, 9)}, "", id="idle"),
        pytest.param(Task(taken=4), {"a": (0, 9)}, "with 5 offsets of a", id="records-to-take"),
        pytest.param(Task(at_work=True, taken=9), {"a": (0, 9)}, "a batch in hand", id="at-work"),
        pytest.param(Task(at_work=True, taken=4), {}, "", id="the-broker-does-not-answer"),
        pytest.param(Task(taken=4, moves=True), {"a": (0, 9)}, "", id="restoring-or-slow"),
    ],
)
def test_who_is_ended_after_the_whole_time_and_not_before(
    reasons, monkeypatch, task, bounds, ended
):
    dog = Watchdog(bootstrap="", topics=("a",), tasks=lambda: {3: task}, seconds=SECONDS)
    monkeypatch.setattr(dog, "_bounds", lambda _partition: bounds)
    for number in range(LOOKS + 1):
        assert reasons == []
        dog.look(now=1_000 + number * SECONDS / LOOKS)
    assert [ended in reason and "partition 3" in reason for reason in reasons] == [True] * bool(
        ended
    )


def test_a_broker_that_is_back_gives_the_whole_time_again(reasons, monkeypatch):
    dog = Watchdog(bootstrap="", topics=("a",), tasks=lambda: {3: Task()}, seconds=SECONDS)
    answers: list[dict[str, tuple[int, int]]] = [{}, {"a": (0, 9)}]
    monkeypatch.setattr(dog, "_bounds", lambda _partition: answers.pop(0))
    for number in range(2 * LOOKS + 1):
        assert reasons == []
        dog.look(now=1_000 + number * SECONDS / LOOKS)
    assert len(reasons) == 1


@pytest.mark.broker
def test_a_broker_that_is_not_there_is_no_reason(reasons, caplog):
    dog = Watchdog(bootstrap="127.0.0.1:1", topics=("a",), tasks=dict, seconds=SECONDS)
    assert dog._bounds(0) == {}


@pytest.mark.broker
@pytest.mark.timeout(120)
async def test_a_worker_whose_task_hangs_is_ended_with_one_clear_line(kafka, tmp_path):
    tag = create_topics(kafka)
    # It must be ready within this time, on a busy machine too.
    worker = NamedWorker(kafka, tag, tmp_path / "worker", stall_seconds="12")
    worker.start()
    try:
        worker.until_given([0, 1, 2, 3])
        await count_one(kafka, tag)
        producer = AIOKafkaProducer(bootstrap_servers=kafka)
        await producer.start()
        await producer.send_and_wait(sources(tag)[1], HANG, key=b"27991", partition=2)
        await producer.stop()
        until(lambda: worker.process.poll() is not None, worker.said)
        assert worker.process.returncode == EXIT_FAILED
        lines = [line for line in worker.said().splitlines() if "CRITICAL" in line]
        assert len(lines) == 1, worker.said()
        assert "partition 2 has made no progress for" in lines[0]
        assert "with a batch in hand" in lines[0]
        assert "Traceback" not in worker.said()
    finally:
        worker.end(9)
