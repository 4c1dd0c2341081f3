"""A million charges wait without a credit; one credit releases them, each once and in order.

    python -m tests.bench --only waiting

The order is that of each partition of their messages.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from pipeline.avro import single_object
from pipeline.kafka import readers, topics
from pipeline.kafka.committed import committed_offsets
from tests.bench.accounts_bench import (
    ACCOUNTS,
    HOME,
    PARTITIONS,
    broker_with_account,
    charge,
    credit,
    filling,
)
from tests.bench.pipeline_bench import process

if TYPE_CHECKING:
    from pathlib import Path

WAITING: Final = 1_000_000
PATIENCE_SECONDS: Final = 900.0


async def released_after_credit(bootstrap: str, folder: Path) -> tuple[float, float]:
    """Let a million charges wait, then credit all; seconds until all waited, and until released.

    Raises `RuntimeError` if one is not released once, or not in order in its partition.
    """
    async with filling(bootstrap) as put:
        for number in range(WAITING):
            await put(topics.ACCOUNT_CHARGE, charge(number))
    given = {"partitions": str(PARTITIONS)}
    places = [TopicPartition(topics.ACCOUNT_RELEASE, home) for home in range(PARTITIONS)]
    with process(ACCOUNTS, bootstrap=bootstrap, home=folder, settings=given):
        began = time.perf_counter()
        await _all_were_taken(bootstrap)
        waited = time.perf_counter() - began
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level="read_committed")
        await consumer.start()
        try:
            consumer.assign(places)
            async with filling(bootstrap) as put:
                await put(topics.ACCOUNT_CREDIT, credit(WAITING))
            began = time.perf_counter()
            await _read_releases(consumer)
            return waited, time.perf_counter() - began
        finally:
            await consumer.stop()


async def _all_were_taken(bootstrap: str) -> None:
    """Wait until the group has committed the end of the charges."""
    place = TopicPartition(topics.ACCOUNT_CHARGE, HOME)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            found = await committed_offsets(admin, readers.ACCOUNTS, [place])
            if found[place].offset >= WAITING:
                return
            await asyncio.sleep(0.2)
    finally:
        await admin.close()
    raise TimeoutError("not all charges were taken")


async def _read_releases(consumer: AIOKafkaConsumer) -> None:
    nexts = list(range(PARTITIONS))  # the number of the next charge of each partition
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(number < WAITING for number in nexts):
        for place, records in (await consumer.getmany(timeout_ms=200)).items():
            for record in records:
                release = single_object.decode(record.value)
                found, expected = int(release.charge_id, 16), nexts[place.partition]
                if found != expected:
                    raise RuntimeError(f"released {found} where {expected} was next")
                nexts[place.partition] += PARTITIONS
        if time.monotonic() > deadline:
            raise TimeoutError(f"released up to {min(nexts)}")


def on_a_broker(folder: Path) -> list[tuple[str, str]]:
    """The row of the table."""
    with broker_with_account(folder) as bootstrap:
        waited, released = asyncio.run(released_after_credit(bootstrap, folder / "accounts"))
    figures = f"{waited:.0f} s until all wait, {released:.0f} s until all are released, in order"
    return [(f"{WAITING:,} charges without a credit, then one credit", figures)]
