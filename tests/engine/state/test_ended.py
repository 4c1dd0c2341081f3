"""A partition is restored when its outputs have no open transaction, and waits loudly else."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from pipeline.engine.state import ended
from pipeline.engine.state.ended import EndedTransactions, TransactionWithoutEnd
from pipeline.kafka.client.end_offsets import Ends

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pytestmark = pytest.mark.broker
PARTITIONS = 2
TIMEOUT_SECONDS = 20
_tags = itertools.count()


@pytest.fixture
def outputs(kafka: str) -> list[str]:
    """Two topics."""
    names = [f"ended{os.getpid()}-{next(_tags)}" for _ in range(2)]
    with closing(KafkaAdminClient(bootstrap_servers=kafka)) as admin:
        admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
    return names


@asynccontextmanager
async def open_transaction(bootstrap: str, topic: str) -> AsyncIterator[AIOKafkaProducer]:
    """A transaction with one record in partition 0; the block ends it, or it is aborted."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"of-{topic}")
    await producer.start()
    try:
        await producer.begin_transaction()
        await producer.send_and_wait(topic, b"1", partition=0)
        yield producer
    finally:
        await producer.stop()


async def test_outputs_without_records_and_with_what_is_ended_are_not_waited_for(kafka, outputs):
    transactions = EndedTransactions(bootstrap=kafka, topics=outputs)
    await transactions.until_ended(0)
    async with open_transaction(kafka, outputs[1]) as producer:
        await producer.commit_transaction()
        await asyncio.wait_for(transactions.until_ended(0), TIMEOUT_SECONDS)


async def test_an_open_transaction_is_waited_for_whoever_wrote_it(kafka, outputs):
    transactions = EndedTransactions(bootstrap=kafka, topics=outputs)
    async with open_transaction(kafka, outputs[1]) as producer:
        waiting = asyncio.create_task(transactions.until_ended(0))
        await asyncio.wait_for(transactions.until_ended(1), TIMEOUT_SECONDS)  # another partition
        assert not waiting.done()
        await producer.abort_transaction()
        await asyncio.wait_for(waiting, TIMEOUT_SECONDS)


async def test_a_transaction_that_nobody_ends_needs_an_operator(
    kafka, outputs, monkeypatch, caplog
):
    monkeypatch.setattr(ended, "PATIENCE_SECONDS", 1.0)
    monkeypatch.setattr(ended, "LONGEST_PAUSE_SECONDS", 0.05)
    transactions = EndedTransactions(bootstrap=kafka, topics=outputs)
    async with open_transaction(kafka, outputs[0]):
        with pytest.raises(TransactionWithoutEnd, match=rf"in {outputs[0]}\[0\] has no end"):
            await asyncio.wait_for(transactions.until_ended(0), TIMEOUT_SECONDS)
    warned = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert f"{outputs[0]}[0]: a transaction has no end yet" in warned


async def test_what_is_begun_meanwhile_is_not_waited_for(kafka, outputs, monkeypatch):
    """Others write to the same partition without a pause: each of their transactions has an end."""
    transactions = EndedTransactions(bootstrap=kafka, topics=outputs)
    asked, looks = Ends.read, itertools.count()
    async with open_transaction(kafka, outputs[0]) as producer:

        async def read(ends, wanted):
            found = await asked(ends, wanted)
            if next(looks):  # the first look is at what is written
                await producer.commit_transaction()
                await producer.begin_transaction()
                await producer.send_and_wait(outputs[0], b"2", partition=0)
            return found

        monkeypatch.setattr(Ends, "read", read)
        await asyncio.wait_for(transactions.until_ended(0), TIMEOUT_SECONDS)


async def test_who_comes_while_the_clients_are_closed_is_answered(kafka, outputs, monkeypatch):
    """The next partition begins in the moment in which the last one has its answer."""
    transactions = EndedTransactions(bootstrap=kafka, topics=outputs)
    closed, next_one = Ends.close, []

    async def close(ends):
        if not next_one:
            next_one.append(asyncio.create_task(transactions.until_ended(1)))
            await asyncio.sleep(0)  # it has its clients now
        await closed(ends)

    monkeypatch.setattr(Ends, "close", close)
    await asyncio.wait_for(transactions.until_ended(0), TIMEOUT_SECONDS)
    await asyncio.wait_for(next_one[0], TIMEOUT_SECONDS)
