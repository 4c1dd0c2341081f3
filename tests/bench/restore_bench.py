"""How soon a worker has its state back: `python -m tests.bench.restore_bench [--keys 1000000]`.

The changelog is on a real broker. A separate process restores all partitions at once, as a worker
does that gets them: first from the changelog alone, then from the databases that the first run
left.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

import uvloop
from aiokafka import AIOKafkaProducer

from pipeline.cli.local.kafka import LocalKafka
from pipeline.conversation.tables import CONSENTS, TABLES
from pipeline.engine.plan import AgentPlan
from pipeline.engine.state.rows import StateRow
from pipeline.engine.state.state import Point, point_row
from pipeline.engine.state.tables import octets_from_row
from pipeline.engine.states import States
from pipeline.kafka import topics
from pipeline.kafka.admin import create_topics
from pipeline.settings import Settings
from tests.bench.state_bench import key_of, resident_mb, value_of

PARTITIONS = 12
KEYS = 1_000_000
DUE = 1_800_000_000_000_000  # every other row falls due some time, in microseconds


async def fill(bootstrap: str, keys: int) -> None:
    """Publish rows of consents as the changelog has them, and a point after every thousand rows."""
    number = bytes([TABLES.index(CONSENTS) + 1])
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=1 << 20
    )
    await producer.start()
    try:
        for partition in range(PARTITIONS):
            batch = producer.create_batch()
            share = range(partition, keys, PARTITIONS)
            for place, key in enumerate(share):
                due = DUE + key if key % 2 else 0
                row = (
                    number + key_of("consents", key),
                    octets_from_row(StateRow(value_of("consents", key), due)),
                )
                rows = [row, point_row(Point(place // 1_000))] if place % 1_000 == 999 else [row]
                for held_key, held in rows:
                    if batch.append(key=held_key, value=held, timestamp=None) is None:
                        await _send(producer, batch, partition)
                        batch = producer.create_batch()
                        batch.append(key=held_key, value=held, timestamp=None)
            last, point = point_row(Point(len(share)))
            batch.append(key=last, value=point, timestamp=None)
            await _send(producer, batch, partition)
        await producer.flush()
    finally:
        await producer.stop()


async def _send(producer: AIOKafkaProducer, batch: object, partition: int) -> None:
    batch.close()
    await producer.send_batch(batch, topics.CONVERSATION_CHANGELOG, partition=partition)


def restore(bootstrap: str, folder: Path) -> tuple[float, float, int, float]:
    """Seconds until every partition has its state, processor seconds, rows, and MB."""
    plan = AgentPlan(
        name="bench",
        group="bench",
        bootstrap=bootstrap,
        topics=(topics.MO_RAW,),
        may_skip=frozenset(),
        tables=TABLES,
        changelog=topics.CONVERSATION_CHANGELOG,
        processor=lambda _partition: None,
        folder=folder,
    )

    async def all_of_them() -> tuple[float, int]:
        states = States(plan)
        began = time.monotonic()
        restored = await asyncio.gather(*(states.restore(p) for p in range(PARTITIONS)))
        took = time.monotonic() - began
        rows = sum(each.state.sizes()[CONSENTS] for each in restored)
        for each in restored:
            each.state.rows.close()
        states.close()
        return took, rows

    busy = time.process_time()
    took, rows = uvloop.run(all_of_them())
    return took, time.process_time() - busy, rows, resident_mb()


def run(bootstrap: str, home: Path, keys: int) -> list[tuple[str, str]]:
    """Both rows."""
    asyncio.run(fill(bootstrap, keys))
    rows = []
    context = multiprocessing.get_context("spawn")
    for what in ("from the changelog", "from a checkpoint"):
        with context.Pool(1) as pool:
            took, busy, found, memory = pool.apply(restore, (bootstrap, home))
        if found != keys:
            raise RuntimeError(f"{found} rows came back, not {keys}")
        figure = f"{took:.2f} s, {busy:.2f} s of a processor, at {memory:.0f} MB"
        rows.append((f"restore of {keys:,} keys {what}", figure))
    return rows


def on_a_broker(home: Path, keys: int = KEYS) -> list[tuple[str, str]]:
    """Both rows, measured on a broker that this bench starts."""
    broker = LocalKafka(home=home / "kafka", partitions=PARTITIONS)
    broker.start()
    try:
        create_topics(broker.bootstrap, Settings(kafka=broker.bootstrap, partitions=PARTITIONS))
        return run(broker.bootstrap, home / "state", keys)
    finally:
        broker.stop()


def main() -> None:
    words = argparse.ArgumentParser(description="Measure restores.")
    words.add_argument("--keys", type=int, default=KEYS)
    given = words.parse_args()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="twoway-bench-") as folder:
        for what, figure in on_a_broker(Path(folder), given.keys):
            sys.stdout.write(f"| {what} | {figure} |\n")


if __name__ == "__main__":
    main()
