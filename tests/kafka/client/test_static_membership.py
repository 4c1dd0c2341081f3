"""Workers with names on a real broker: what each keeps over a restart, and a name taken twice."""

from __future__ import annotations

import signal
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
from kafka import KafkaAdminClient

from pipeline.cli.operate.leave import remove_member
from pipeline.kafka.readers import CONVERSATION
from pipeline.process.stop import EXIT_FAILED
from tests.engine.named_workers import NamedWorker, count_one, create_topics, until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.running import RunningStack

pytestmark = [pytest.mark.broker, pytest.mark.timeout(270)]


@pytest.fixture
def tag(kafka: str) -> str:
    return create_topics(kafka)


@pytest.fixture
def worker(kafka: str, tag: str, tmp_path: Path) -> Iterator[Callable[..., NamedWorker]]:
    """Starts workers, each with its own home; all are killed at the end."""
    with ExitStack() as ended:

        def make(home: str, *, name: str) -> NamedWorker:
            made = NamedWorker(kafka, tag, tmp_path / home, name=name)
            made.start()
            ended.callback(made.end, signal.SIGKILL)
            return made

        yield make


def members(bootstrap: str, group: str) -> set[str]:
    """The names of the members."""
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        described = admin.describe_groups([group])[group]
    return {member["group_instance_id"] for member in described["members"]}


async def test_a_worker_that_is_started_again_takes_back_what_it_had_and_others_go_on(
    kafka, tag, worker
):
    one = worker("one", name="one")
    one.until_given([0, 1, 2, 3])
    two = worker("two", name="two")
    one.until_given([0, 1])
    two.until_given([2, 3])
    await count_one(kafka, tag)
    before = two.assignments()
    for number in (signal.SIGTERM, signal.SIGKILL):
        one.end(number)
        assert members(kafka, tag) == {"one", "two"}
        one.start()
        await count_one(kafka, tag)
    assert one.assignments() == ["[0, 1, 2, 3]", *["[0, 1]"] * 3]
    assert two.assignments() == before


async def test_the_older_of_two_workers_with_one_name_stops_and_says_why(kafka, tag, worker):
    older = worker("older", name="same")
    older.until_given([0, 1, 2, 3])
    await count_one(kafka, tag)
    younger = worker("younger", name="same")
    younger.until_given([0, 1, 2, 3])
    until(lambda: older.process.poll() is not None, older.said)
    assert older.process.returncode == EXIT_FAILED
    reasons = [line for line in older.said().splitlines() if "this process stops" in line]
    assert len(reasons) == 1, older.said()
    assert "another worker has taken the name 'same'" in reasons[0]
    assert "Traceback" not in older.said()
    await count_one(kafka, tag)
    assert younger.process.poll() is None
    assert younger.assignments() == ["[0, 1, 2, 3]"]


def test_a_worker_that_left_for_good_gives_its_share_to_the_others(kafka, tag, worker):
    one = worker("one", name="one")
    one.until_given([0, 1, 2, 3])
    two = worker("two", name="two")
    two.until_given([2, 3])
    one.until_given([0, 1])
    two.end(signal.SIGTERM)
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        assert remove_member(admin, group=tag, name="two")
        assert members(kafka, tag) == {"one"}
        assert not remove_member(admin, group=tag, name="two")
    one.until_given([0, 1, 2, 3])


def test_a_local_stack_names_its_worker(stack: RunningStack):
    (name,) = members(stack.stack.kafka, CONVERSATION)
    assert name.startswith("worker-")
