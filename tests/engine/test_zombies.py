"""An owner stops and continues when another owner has its partition: nothing is written twice.

The owner stops at an await, as a stopped process does: inside a transaction, for longer than the
transaction may take or until the next owner has begun, and between assignment and fence.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from pipeline.engine.batch import Batch
from pipeline.engine.plan import AgentPlan
from pipeline.engine.states import States
from pipeline.engine.task import PartitionTask
from pipeline.kafka.client import transactional_producer as producer

pytestmark = pytest.mark.broker

STEPS = ("begin_transaction", "send_batch", "send_offsets_to_transaction", "commit_transaction")
PATIENCE_SECONDS = 60
_tags = itertools.count()


class Held:
    """Where one owner stops, and until when."""

    def __init__(self, step: str, *, after: bool) -> None:
        self._step, self._after = step, after
        self.reached = asyncio.Event()
        self.released = asyncio.Event()

    async def at(self, step: str, *, after: bool) -> None:
        if (step, after) == (self._step, self._after) and not self.reached.is_set():
            self.reached.set()
            await self.released.wait()


def holding(held: Held) -> type[producer.TransactionalProducer]:
    def step(name: str):
        original = getattr(producer.TransactionalProducer, name)

        async def stepped(self, *words, **named):
            await held.at(name, after=False)
            done = await original(self, *words, **named)
            await held.at(name, after=True)
            return done

        return stepped

    return type(
        "Holding",
        (producer.TransactionalProducer,),
        {name: step(name) for name in (*STEPS, "start")},
    )


class Echo:
    """Writes each record out, and counts them in a row."""

    def __init__(self, tag: str) -> None:
        self._out = f"{tag}-out"

    def restored(self, state) -> None:
        pass

    def process_record(self, work, record) -> bool:
        table = work.tables["count"]
        count = int(table.get(b"") or b"0") + 1
        table.put(b"", b"%d" % count)
        work.send(self._out, None, b"%s:%d" % (record.value, count))
        return False

    def refuse(self, work, record, error) -> None:
        raise error


class Owner:
    """An owner that assumes that the partition is its own."""

    def __init__(self, bootstrap: str, tag: str, folder) -> None:
        self._source = f"{tag}-in"
        plan = AgentPlan(
            name="echo",
            group=tag,
            bootstrap=bootstrap,
            topics=(self._source,),
            may_skip=frozenset(),
            tables=("count",),
            changelog=f"{tag}-changelog",
            processor=lambda _partition: Echo(tag),
            folder=folder,
        )
        self._states = States(plan)
        self.error: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
        self.task = PartitionTask(
            plan=plan,
            partition=0,
            states=self._states,
            ends=self._ends,
            failed=lambda _partition, error: self.error.set_result(error),
            turns=asyncio.Semaphore(),
        )

    async def _ends(self) -> dict[str, int]:
        return {}

    def give(self, first: int, end: int) -> None:
        """Give the owner what a poll of the source would bring."""
        records = [
            ConsumerRecord(self._source, 0, n, n, 1, None, b"%d" % n, None, 0, 0, ())
            for n in range(first, end)
        ]
        self.task.intake.add(Batch(self._source, 0, records, first, end))

    async def close(self) -> None:
        await self.task.close()
        self._states.close()


async def held_or_failed(held: Held, made: Owner) -> None:
    """Wait until the owner stops; raise its error if it failed before that."""
    reached = asyncio.ensure_future(held.reached.wait())
    async with asyncio.timeout(PATIENCE_SECONDS):
        await asyncio.wait((reached, made.error), return_when=asyncio.FIRST_COMPLETED)
    if made.error.done():
        raise made.error.result()


async def ready(made: Owner) -> None:
    """Wait until the owner has fenced the owner before it."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not made.task.ready:  # noqa: ASYNC110 - a task tells nobody that it is ready
            await asyncio.sleep(0.01)


@asynccontextmanager
async def owner(bootstrap: str, tag: str, folder, *, held: Held | None = None):
    with pytest.MonkeyPatch.context() as patched:
        if held is not None:
            patched.setattr(producer, "TransactionalProducer", holding(held))
        made = Owner(bootstrap, tag, folder)
        made.task.start()
        made.give(0, 5)
        try:
            if held is not None:
                await held_or_failed(held, made)
            patched.undo()
            yield made
        finally:
            await made.close()


@pytest.fixture
def tag(kafka: str) -> str:
    tag = f"zombie{os.getpid()}-{next(_tags)}"
    compacted = {"cleanup.policy": "compact"}
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics(
        [
            NewTopic(f"{tag}-in", 1, 1),
            NewTopic(f"{tag}-out", 1, 1),
            NewTopic(f"{tag}-changelog", 1, 1, topic_configs=compacted),
        ]
    )
    admin.close()
    return tag


@pytest.fixture
async def out(kafka: str, tag: str):
    """Reads the committed records; its end is the last stable offset."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=kafka,
        group_id=tag,
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    )
    await consumer.start()
    tp = TopicPartition(f"{tag}-out", 0)
    consumer.assign([tp])
    await consumer.committed(tp)  # a new broker has no coordinator of groups before it is asked
    yield consumer
    await consumer.stop()


async def lines(out: AIOKafkaConsumer, count: int) -> list[bytes]:
    """The first `count` lines, and the further lines up to the end."""
    (tp,) = out.assignment()
    seen: list[bytes] = []
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(seen) < count or await out.position(tp) < (await out.end_offsets([tp]))[tp]:
            for records in (await out.getmany(timeout_ms=100)).values():
                seen += [record.value for record in records]
    return seen


def once(count: int) -> list[bytes]:
    return [b"%d:%d" % (n, n + 1) for n in range(count)]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
async def test_an_owner_held_up_in_a_transaction_is_fenced_by_the_next(
    kafka, tag, out, tmp_path, step, after
):
    held = Held(step, after=after)
    async with (
        owner(kafka, tag, tmp_path / "old", held=held) as old,
        owner(kafka, tag, tmp_path / "new") as new,
    ):
        assert await lines(out, 5) == once(5)
        await ready(new)
        held.released.set()
        old.give(5, 8)  # it knows of nothing, and goes on
        error = await asyncio.wait_for(old.error, PATIENCE_SECONDS)
        assert type(error).__name__ in ("ProducerFenced", "InvalidProducerEpoch")
        new.give(5, 8)
        assert await lines(out, 3) == once(8)[5:]
        assert not new.error.done()


async def test_an_owner_held_up_before_its_fence_begins_where_the_other_has_got_to(
    kafka, tag, out, tmp_path
):
    held = Held("start", after=False)
    async with (
        owner(kafka, tag, tmp_path / "late", held=held) as late,
        owner(kafka, tag, tmp_path / "other") as other,
    ):
        assert await lines(out, 5) == once(5)
        held.released.set()
        late.give(5, 8)
        assert await lines(out, 3) == once(8)[5:]
        other.give(5, 8)  # fenced in its turn
        error = await asyncio.wait_for(other.error, PATIENCE_SECONDS)
        assert type(error).__name__ in ("ProducerFenced", "InvalidProducerEpoch")
        late.give(8, 9)
        assert await lines(out, 1) == once(9)[8:]


async def test_a_transaction_that_takes_too_long_is_aborted_and_done_again(
    kafka, tag, out, tmp_path, monkeypatch
):
    monkeypatch.setattr(producer, "TRANSACTION_TIMEOUT_MS", 1_000)
    held = Held("commit_transaction", after=False)
    (tp,) = out.assignment()
    async with owner(kafka, tag, tmp_path / "slow", held=held) as slow:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (await out.end_offsets([tp]))[tp] == 0:  # until the broker has aborted it
                await out.getmany(timeout_ms=200)
        held.released.set()
        error = await asyncio.wait_for(slow.error, PATIENCE_SECONDS)
        assert type(error).__name__ in ("ProducerFenced", "InvalidProducerEpoch", "InvalidTxnState")
    async with owner(kafka, tag, tmp_path / "slow"):
        assert await lines(out, 5) == once(5)
