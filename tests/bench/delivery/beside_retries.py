"""How soon an MT request is answered while a million deliveries wait to be tried again.

    python -m tests.bench.delivery.beside_retries [ROWS]

Broker, worker and `twoway deliver` run on this machine: first nothing waits, then so many do.
"""

from __future__ import annotations

import asyncio
import logging
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvloop
from aiokafka import AIOKafkaProducer

from pipeline.avro import single_object
from pipeline.cli.local.kafka import LocalKafka
from pipeline.cli.local.ports import free_port
from pipeline.engine.state.state import Point, point_row
from pipeline.engine.state.tables import octets_from_row
from pipeline.kafka import topics
from pipeline.kafka.admin import create_topics
from pipeline.settings import Settings
from pipeline.sms.msisdn import key_from_handset
from tests.bench import engine_bench
from tests.bench.delivery.open_retries import NUMBER_OF_TABLE, rows_waiting
from tests.bench.pipeline_bench import process, publish
from tests.bench.traffic import directory

if TYPE_CHECKING:
    from collections.abc import Iterator

ROWS: Final = 1_000_000
RATE: Final = 50
SECONDS: Final = 40
READY_SECONDS: Final = 600.0
_WORKER: Final = ("-m", "pipeline.cli.main", "worker")
_DELIVER: Final = ("-m", "pipeline.cli.main", "deliver")


async def fill(bootstrap: str, count: int, partitions: int) -> None:
    """So many open deliveries as the changelog of the agent has them."""
    shares: list[list[tuple[bytes, bytes]]] = [[] for _ in range(partitions)]
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=1 << 20
    )
    await producer.start()
    try:
        for handset, key, row in rows_waiting(count):
            at = topics.partition_of(key_from_handset(handset), partitions)
            shares[at].append((NUMBER_OF_TABLE + key, octets_from_row(row)))
            if len(shares[at]) == 1_000:
                await _send(producer, at, shares[at])
                shares[at] = []
        for at, rows in enumerate(shares):
            await _send(producer, at, [*rows, point_row(Point(1))])
        await producer.flush()
    finally:
        await producer.stop()


async def _send(producer: AIOKafkaProducer, at: int, rows: list[tuple[bytes, bytes]]) -> None:
    batch = producer.create_batch()
    for key, value in rows:
        if batch.append(key=key, value=value, timestamp=None) is None:
            batch.close()
            await producer.send_batch(batch, topics.DELIVERY_CHANGELOG, partition=at)
            batch = producer.create_batch()
            batch.append(key=key, value=value, timestamp=None)
    batch.close()
    await producer.send_batch(batch, topics.DELIVERY_CHANGELOG, partition=at)


@contextmanager
def running(words: tuple[str, ...], bootstrap: str, home: Path, partitions: int) -> Iterator[None]:
    """A process of ours that is ready."""
    port = free_port()
    settings = {"partitions": str(partitions), "metrics_port": str(port)}
    with process(list(words), bootstrap=bootstrap, home=home, settings=settings):
        engine_bench.await_ready(port, seconds=READY_SECONDS)
        yield


def rows_of(home: Path, count: int = ROWS) -> Iterator[tuple[str, str]]:
    """The figures without and with so many open retries, and how they compare."""
    partitions = Settings().partitions
    broker = LocalKafka(home=home / "kafka", partitions=partitions)
    broker.start()
    bootstrap = broker.bootstrap
    try:
        create_topics(bootstrap, Settings(kafka=bootstrap, partitions=partitions))
        numbers = single_object.encode(directory())
        sent = [(topics.NUMBERS, None, numbers, n) for n in range(partitions)]
        asyncio.run(publish(bootstrap, sent))
        found: list[float] = []
        with running(_WORKER, bootstrap, home / "worker", partitions):
            for waiting in (0, count):
                if waiting:
                    asyncio.run(fill(bootstrap, waiting, partitions))
                with running(_DELIVER, bootstrap, home / f"deliver-{waiting}", partitions):
                    _measure(bootstrap, partitions, seconds=SECONDS // 4)  # it warms up
                    at = _measure(bootstrap, partitions, seconds=SECONDS)
                found.append(at["p99 ms"])
                yield (
                    f"MT request -> its command, {RATE}/s, {waiting:,} retries open",
                    f"p50 {at['p50 ms']} ms, p99 {at['p99 ms']} ms",
                )
        yield "p99 with them in parts of that without", f"{found[1] / found[0]:.2f}"
    finally:
        broker.stop()


def _measure(bootstrap: str, partitions: int, *, seconds: int) -> dict[str, float]:
    measured = uvloop.run(
        engine_bench.measure(kafka=bootstrap, partitions=partitions, rate=RATE, seconds=seconds)
    )
    return next(at for what, at in measured.items() if "mt-command" in what)


if __name__ == "__main__":
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # retries of a new topic
    with tempfile.TemporaryDirectory(prefix="twoway-bench-") as folder:
        asked = int(sys.argv[1]) if len(sys.argv) > 1 else ROWS
        for what, figure in rows_of(Path(folder), asked):
            print(f"{what}: {figure}", flush=True)
