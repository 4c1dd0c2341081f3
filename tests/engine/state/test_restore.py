"""The state of a partition from a real changelog: the tail after a checkpoint, or all of it."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

from pipeline.engine.plan import AgentPlan
from pipeline.engine.state import restore
from pipeline.engine.states import States
from pipeline.engine.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipeline.engine.state.state import State

pytestmark = pytest.mark.broker

_names = itertools.count()


def create_again(bootstrap: str, topic: str) -> None:
    """Create a topic that was deleted, as soon as the broker has deleted it."""
    deadline = time.monotonic() + 30
    while True:
        try:
            create(bootstrap, topic)
        except TopicAlreadyExistsError:
            assert time.monotonic() < deadline
        else:
            return


def create(bootstrap: str, topic: str, **configs: str) -> None:
    with closing(KafkaAdminClient(bootstrap_servers=bootstrap)) as admin:
        admin.create_topics(
            [NewTopic(topic, 1, 1, topic_configs={"cleanup.policy": "compact", **configs})]
        )


@pytest.fixture
def changelog(kafka: str) -> str:
    name = f"restore{os.getpid()}-{next(_names)}"
    create(kafka, name)
    return name


@pytest.fixture
def states_of(kafka: str) -> Iterator[Callable[[str, Path], States]]:
    """The states of an agent with this changelog, under this folder; closed at the end."""
    with ExitStack() as ended:

        def make(changelog: str, folder: Path) -> States:
            states = States(
                AgentPlan(
                    name="agent",
                    group=changelog,
                    bootstrap=kafka,
                    topics=(changelog,),
                    may_skip=frozenset(),
                    tables=("one",),
                    changelog=changelog,
                    processor=lambda _partition: None,
                    folder=folder,
                )
            )
            ended.callback(states.close)
            return states

        yield make


class Owner:
    """Commits units of work on a state, as the task of a partition does."""

    def __init__(self, bootstrap: str, changelog: str) -> None:
        self._changelog = changelog
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, transactional_id=f"{changelog}-0", acks="all"
        )

    async def __aenter__(self) -> Owner:
        await self._producer.start()
        return self

    async def __aexit__(self, *_) -> None:
        await self._producer.stop()

    async def commit(self, state: State, rows: dict[bytes, bytes | None]) -> None:
        work = UnitOfWork(state=state, partition=0, changelog=self._changelog)
        for key, value in rows.items():
            if value is None:
                work.tables["one"].delete(key)
            else:
                work.tables["one"].put(key, value)
        await work.commit(self._producer, group=self._changelog, offsets={self._changelog: 0})


def contents(state: State, *keys: bytes) -> dict[bytes, bytes | None]:
    return {key: state.tables["one"].get(key) for key in keys}


async def test_only_what_another_owner_did_meanwhile_is_read(kafka, changelog, states_of, tmp_path):
    here = states_of(changelog, tmp_path / "here")
    elsewhere = states_of(changelog, tmp_path / "elsewhere")
    first = (await here.restore(0)).state
    async with Owner(kafka, changelog) as owner:
        await owner.commit(first, {b"a": b"1", b"b": b"1", b"c": b"1"})
    first.rows.close()
    other = await elsewhere.restore(0)
    assert other.rows == 4
    async with Owner(kafka, changelog) as owner:
        await owner.commit(other.state, {b"a": b"2", b"b": None})
    other.state.rows.close()

    back = await here.restore(0)
    assert back.rows == 3
    assert contents(back.state, b"a", b"b", b"c") == {b"a": b"2", b"b": None, b"c": b"1"}
    assert back.state.point == other.state.point
    back.state.rows.close()
    again = await here.restore(0)
    assert again.rows == 0
    assert again.state.point == other.state.point
    again.state.rows.close()


async def test_a_crash_between_the_transaction_and_the_disk_leaves_a_tail(
    kafka, changelog, states_of, tmp_path, monkeypatch
):
    states = states_of(changelog, tmp_path)
    state = (await states.restore(0)).state
    async with Owner(kafka, changelog) as owner:
        await owner.commit(state, {b"a": b"1"})
        with monkeypatch.context() as crash:
            crash.setattr(state.rows, "write", lambda *_, **__: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                await owner.commit(state, {b"a": b"2"})
    state.rows.close()
    restored = await states.restore(0)
    assert restored.rows == 2
    assert contents(restored.state, b"a") == {b"a": b"2"}
    assert restored.state.point.sequence == 2
    restored.state.rows.close()


async def test_a_checkpoint_of_a_deleted_topic_of_the_same_name_is_built_anew(
    kafka, changelog, states_of, tmp_path, caplog
):
    states = states_of(changelog, tmp_path)
    state = (await states.restore(0)).state
    async with Owner(kafka, changelog) as owner:
        await owner.commit(state, {b"a": b"1"})
    state.rows.close()
    states.close()
    before = await restore.describe_changelog(kafka, changelog)
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.delete_topics([changelog])
    admin.close()
    create_again(kafka, changelog)
    assert (await restore.describe_changelog(kafka, changelog)).topic_id != before.topic_id
    states = states_of(changelog, tmp_path)
    restored = await states.restore(0)
    assert contents(restored.state, b"a") == {b"a": None}
    assert "is built anew: it is of" in caplog.text
    restored.state.rows.close()
    states.close()


async def test_a_checkpoint_older_than_the_changelog_keeps_deletions_is_built_anew(
    kafka, states_of, tmp_path, caplog
):
    changelog = f"restore{os.getpid()}-{next(_names)}"
    create(kafka, changelog, **{"delete.retention.ms": "0"})
    states = states_of(changelog, tmp_path / "here")
    state = (await states.restore(0)).state
    async with Owner(kafka, changelog) as owner:
        await owner.commit(state, {b"a": b"1"})
        state.rows.close()
        other = (await states_of(changelog, tmp_path / "elsewhere").restore(0)).state
        await owner.commit(other, {b"a": None})
        other.rows.close()
    restored = await states.restore(0)
    assert restored.rows == 4
    assert contents(restored.state, b"a") == {b"a": None}
    assert "keeps deletions for 0.0 h" in caplog.text
    restored.state.rows.close()


async def test_a_checkpoint_that_stands_beyond_the_changelog_is_built_anew(
    kafka, changelog, states_of, tmp_path, caplog
):
    states = states_of(changelog, tmp_path)
    state = (await states.restore(0)).state
    async with Owner(kafka, changelog) as owner:
        await owner.commit(state, {b"a": b"1"})
    ahead = state.rows.reached
    state.restore([(b"\x01a", b"\0" * 8 + b"never")], reached=type(ahead)(ahead.offset + 9, 0))
    state.rows.close()
    restored = await states.restore(0)
    assert restored.rows == 2
    assert contents(restored.state, b"a") == {b"a": b"1"}
    assert "which ends at" in caplog.text
    restored.state.rows.close()


async def test_partitions_that_ask_together_share_a_client(kafka, changelog, monkeypatch):
    made = []
    real = restore.AIOKafkaAdminClient

    def make(**given):
        made.append(real(**given))
        return made[-1]

    monkeypatch.setattr(restore, "AIOKafkaAdminClient", make)
    committed = restore.CommittedOffsets(bootstrap=kafka, group=changelog, topics=(changelog,))

    points = await asyncio.gather(*(committed.read(0) for _ in range(12)))
    assert {point.sequence for point in points} == {0}
    assert len(made) == 1
    assert (await committed.read(0)).offsets == {}
    assert len(made) == 2
