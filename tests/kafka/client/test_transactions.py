"""Transactions on a real broker, with faults between their requests.

An answer is lost when the connection breaks on the answer: the broker has done what was asked. A
request is lost when the connection breaks before it.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import subprocess
from collections import Counter
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.conn import AIOKafkaConnection, CloseReason
from aiokafka.errors import KafkaConnectionError, ProducerFenced
from aiokafka.producer.transaction_manager import TransactionManager
from aiokafka.structs import OffsetAndMetadata
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from pipeline.cli.local.kafka import LocalKafka
from pipeline.kafka.client import transactions_v2
from pipeline.kafka.client.transactional_producer import transactional_producer
from pipeline.kafka.client.transactions_v2 import Transactions

pytestmark = pytest.mark.broker

PATIENCE_SECONDS = 60
PARTITIONS = 10
PRODUCE, OFFSETS, END = 0, 28, 26  # Kafka's protocol guide, API keys
REQUESTS = {"produce": PRODUCE, "offsets": OFFSETS, "end": END}
OF_TRANSACTIONS = {*REQUESTS.values(), 24, 25}  # those that V2 does without, too
_tags = itertools.count()


def make_topics(bootstrap: str) -> str:
    tag = f"txn{os.getpid()}-{next(_tags)}"
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.create_topics([NewTopic(f"{tag}-{name}", PARTITIONS, 1) for name in ("in", "out", "log")])
    admin.close()
    return tag


@pytest.fixture
def tag(kafka: str) -> str:
    return make_topics(kafka)


@asynccontextmanager
async def owner(bootstrap: str, tag: str, partition: int = 0):
    """The owner of the partition; the owner before it is fenced."""
    made = transactional_producer(bootstrap=bootstrap, transactional_id=f"{tag}-{partition}")
    try:
        await made.start()
        yield made
    finally:
        await made.stop()


async def write(producer, tag: str, number: int, partition: int = 0) -> None:
    """The writes of a transaction, acknowledged."""
    await producer.begin_transaction()
    sent = []
    for topic in ("out", "log"):
        batch = producer.create_batch()
        for part in range(2):
            batch.append(key=None, value=b"%d.%d" % (number, part), timestamp=None)
        batch.close()
        sent.append(await producer.send_batch(batch, f"{tag}-{topic}", partition=partition))
    await asyncio.gather(*sent)


async def finish(producer, tag: str, number: int, partition: int = 0) -> None:
    offsets = {TopicPartition(f"{tag}-in", partition): OffsetAndMetadata(number, "point")}
    await producer.send_offsets_to_transaction(offsets, tag)
    await producer.commit_transaction()


async def transaction(producer, tag: str, number: int, partition: int = 0) -> None:
    await write(producer, tag, number, partition)
    await finish(producer, tag, number, partition)


async def visible(bootstrap: str, tag: str, topic: str = "out") -> list[list[str]]:
    """The committed records, by partition, once every transaction has its end in the partitions.

    The broker acknowledges an end before its marker is in each partition.
    """
    tps = [TopicPartition(f"{tag}-{topic}", p) for p in range(PARTITIONS)]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
        group_id=None,
    )
    uncommitted = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None)
    await consumer.start()
    await uncommitted.start()
    try:
        consumer.assign(tps)
        rows: list[list[str]] = [[] for _ in tps]
        async with asyncio.timeout(PATIENCE_SECONDS):
            # the last stable offsets are the last ones where no transaction is open
            while (ends := await consumer.end_offsets(tps)) != await uncommitted.end_offsets(tps):
                pass
            while any([await consumer.position(tp) < ends[tp] for tp in tps]):
                for tp, records in (await consumer.getmany(timeout_ms=100)).items():
                    rows[tp.partition] += [record.value.decode() for record in records]
        return rows
    finally:
        await consumer.stop()
        await uncommitted.stop()


async def committed(bootstrap: str, tag: str) -> int | None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=tag, enable_auto_commit=False)
    await consumer.start()
    try:
        return await consumer.committed(TopicPartition(f"{tag}-in", 0))
    finally:
        await consumer.stop()


def lines(*numbers: int) -> list[str]:
    return [f"{number}.{part}" for number in numbers for part in range(2)]


class Wire:
    """Records the requests, and breaks connections."""

    def __init__(self, monkeypatch) -> None:
        self.sent: Counter[int] = Counter()
        self._lost: set[tuple[int, bool]] = set()
        self.reached = asyncio.Event()
        send, handle = AIOKafkaConnection.send, AIOKafkaConnection._handle_frame

        def spied_send(conn, request, expect_response=True):
            key = request.prepare(conn._versions).API_KEY if conn._versions else None
            self.sent[key] += 1
            if self._takes(key, answer=False):
                conn.close(reason=CloseReason.CONNECTION_BROKEN)
                raise KafkaConnectionError("lost")
            return send(conn, request, expect_response)

        def spied_handle(conn, frame):
            if self._takes(conn._requests[0][1].API_KEY, answer=True):
                conn.close(reason=CloseReason.CONNECTION_BROKEN, exc=ConnectionResetError("lost"))
            else:
                handle(conn, frame)

        monkeypatch.setattr(AIOKafkaConnection, "send", spied_send)
        monkeypatch.setattr(AIOKafkaConnection, "_handle_frame", spied_handle)

    def lose(self, key: int, *, answer: bool) -> None:
        """Lose the next request or answer of this kind."""
        self._lost.add((key, answer))

    def _takes(self, key, *, answer: bool) -> bool:
        if (key, answer) not in self._lost:
            return False
        self._lost.remove((key, answer))
        self.reached.set()
        return True


@pytest.fixture
def wire(monkeypatch) -> Wire:
    return Wire(monkeypatch)


async def test_a_transaction_asks_three_things_and_has_an_epoch_of_its_own(kafka, tag, wire):
    async with owner(kafka, tag) as producer:
        assert type(producer._txn_manager) is Transactions
        await transaction(producer, tag, 9)  # coordinators and leaders are known after it
        first = producer._txn_manager.producer_epoch
        for number in range(3):
            wire.sent.clear()
            await transaction(producer, tag, number)
            assert wire.sent.keys() & OF_TRANSACTIONS == {PRODUCE, OFFSETS, END}
        assert producer._txn_manager.producer_epoch == first + 3
    assert (await visible(kafka, tag))[0] == lines(9, 0, 1, 2)
    assert await committed(kafka, tag) == 2


@pytest.mark.parametrize("answer", [False, True], ids=["request", "answer"])
@pytest.mark.parametrize("key", REQUESTS.values(), ids=REQUESTS)
async def test_a_connection_lost_at_a_request_or_its_answer_changes_nothing(
    kafka, tag, wire, key, answer
):
    async with owner(kafka, tag) as producer:
        await transaction(producer, tag, 0)
        wire.lose(key, answer=answer)
        await transaction(producer, tag, 1)
        assert wire.reached.is_set()
        await transaction(producer, tag, 2)
    assert (await visible(kafka, tag))[0] == lines(0, 1, 2)
    assert (await visible(kafka, tag, "log"))[0] == lines(0, 1, 2)
    assert await committed(kafka, tag) == 2


@pytest.mark.parametrize("step", ["write", "offsets", "commit"])
async def test_an_old_owner_is_refused_whatever_it_asks_next(kafka, tag, step):
    async with owner(kafka, tag) as old:
        await transaction(old, tag, 0)
        offsets = {TopicPartition(f"{tag}-in", 0): OffsetAndMetadata(1, "point")}
        steps = {
            "write": lambda: write(old, tag, 1),
            "offsets": lambda: old.send_offsets_to_transaction(offsets, tag),
            "commit": old.commit_transaction,
        }
        while (name := next(iter(steps))) != step:
            await steps.pop(name)()
        async with owner(kafka, tag) as new:
            with pytest.raises(ProducerFenced):
                await steps[step]()
            await transaction(new, tag, 2)
    assert (await visible(kafka, tag))[0] == lines(0, 2)
    assert await committed(kafka, tag) == 2


@pytest.mark.parametrize("spoken", [False, True], ids=["by-the-old-kind", "by-the-same-kind"])
async def test_what_was_refused_is_not_committed(kafka, tag, wire, monkeypatch, spoken):
    async with owner(kafka, tag) as old:
        await transaction(old, tag, 0)
        if not spoken:
            monkeypatch.setattr(transactions_v2, "LEVEL", 3)
        async with owner(kafka, tag) as new:
            with pytest.raises(ProducerFenced):
                await write(old, tag, 1)
            await transaction(
                new, tag, 2
            )  # leaves the epoch after the old owner's, by the old kind
            wire.sent.clear()
            with pytest.raises(ProducerFenced):
                await asyncio.wait_for(old.commit_transaction(), PATIENCE_SECONDS)
            assert wire.sent[END] == 0
    assert (await visible(kafka, tag))[0] == lines(0, 2)
    assert await committed(kafka, tag) == 2


async def test_a_commit_asked_again_after_a_fence_is_refused_and_was_done_once(kafka, tag, wire):
    async with owner(kafka, tag) as old:
        await transaction(old, tag, 0)
        await write(old, tag, 1)
        backoff, old._sender._retry_backoff = old._sender._retry_backoff, 2.0
        wire.lose(END, answer=True)
        ending = asyncio.create_task(finish(old, tag, 1))
        await asyncio.wait_for(wire.reached.wait(), PATIENCE_SECONDS)
        old._sender._retry_backoff = backoff
        async with owner(kafka, tag) as new:
            with pytest.raises(ProducerFenced):
                await asyncio.wait_for(ending, PATIENCE_SECONDS)
            await transaction(new, tag, 2)
    assert (await visible(kafka, tag))[0] == lines(0, 1, 2)


async def test_a_thousand_in_quick_succession_leave_no_error_in_the_log(kafka, tag, caplog):
    async with AsyncExitStack() as stack:
        producers = [
            await stack.enter_async_context(owner(kafka, tag, p)) for p in range(PARTITIONS)
        ]
        for partition, producer in enumerate(producers):
            await transaction(producer, tag, 0, partition)
        caplog.clear()

        async def many(partition: int) -> None:
            for number in range(1, 101):
                await transaction(producers[partition], tag, number, partition)

        await asyncio.gather(*map(many, range(PARTITIONS)))
    assert [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR] == []
    assert await visible(kafka, tag) == [lines(*range(101))] * PARTITIONS


async def test_a_broker_killed_in_the_middle_of_a_transaction_goes_on_with_it(empty_kafka):
    broker = await asyncio.to_thread(empty_kafka)
    tag = await asyncio.to_thread(make_topics, broker.bootstrap)
    async with owner(broker.bootstrap, tag) as producer:
        await transaction(producer, tag, 0)
        await write(producer, tag, 1)
        broker.kill()
        starting = asyncio.create_task(asyncio.to_thread(broker.start))
        await asyncio.wait_for(finish(producer, tag, 1), PATIENCE_SECONDS)
        await starting
        await transaction(producer, tag, 2)
    assert (await visible(broker.bootstrap, tag))[0] == lines(0, 1, 2)
    assert await committed(broker.bootstrap, tag) == 2


class BeforeV2(LocalKafka):
    """A cluster that has not agreed on transactions V2."""

    def _format(self, java_line, properties) -> None:
        words = ["format", "--cluster-id=before", "--feature", "transaction.version=1"]
        tool = [*java_line, "kafka.tools.StorageTool", *words, "-c", str(properties)]
        subprocess.run(tool, env=self.environment, capture_output=True, check=True)


async def test_where_the_cluster_has_not_settled_on_them_transactions_are_the_old_ones(
    tmp_path, wire
):
    broker = BeforeV2(home=tmp_path, partitions=PARTITIONS)
    try:
        await asyncio.to_thread(broker.start)
        tag = await asyncio.to_thread(make_topics, broker.bootstrap)
        async with owner(broker.bootstrap, tag) as producer:
            assert type(producer._txn_manager) is TransactionManager
            await transaction(producer, tag, 0)
            wire.sent.clear()
            await transaction(producer, tag, 1)
            assert wire.sent.keys() & OF_TRANSACTIONS == OF_TRANSACTIONS
        assert (await visible(broker.bootstrap, tag))[0] == lines(0, 1)
        assert await committed(broker.bootstrap, tag) == 1
    finally:
        broker.kill()
