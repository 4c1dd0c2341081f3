"""MT requests through the gate of one worker that has the consent of many handsets on disk.

    python -m tests.bench --only gate

The stages make the rows of the handsets, one for each kind. The rows are written to the changelog.
The worker restores them from there, as it does after the loss of its disk.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from pipeline.avro import single_object
from pipeline.cli.local.kafka import LocalKafka
from pipeline.conversation.tables import CONSENTS, TABLES
from pipeline.directory.directory import Directory
from pipeline.engine.state.rows import StateRow
from pipeline.engine.state.state import Point, point_row
from pipeline.engine.state.tables import octets_from_row
from pipeline.kafka import topics
from pipeline.kafka.admin import create_topics
from pipeline.records import MoMessage, MtRequest, Source
from pipeline.settings import Settings
from pipeline.sms.msisdn import key_from_handset
from pipeline.stages.consent.decide import (
    ConsentRules,
    consent_due_at,
    fall_due,
    octets_from_consent,
    take_message,
)
from tests.bench.latency_bench import percentiles
from tests.bench.pipeline_bench import PARTITIONS, process, publish
from tests.bench.traffic import NUMBER, directory

if TYPE_CHECKING:
    import subprocess
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from pipeline.stages.consent.decide import HandsetConsent

HANDSETS: Final = 1_000_000
REQUESTS: Final = 50_000
RATE: Final = 100
RATE_SECONDS: Final = 30
SECONDS: Final = 180.0
BATCH_OCTETS: Final = 500_000
#: What was said, of ten handsets: six texted, three stopped and were confirmed, one stopped all.
SAID: Final = ("hello",) * 6 + ("STOP",) * 3 + ("STOP ALL",)


def handset_of(number: int) -> str:
    """One of the handsets."""
    return f"2782{number:08d}"


def row_after(text: str) -> HandsetConsent:
    """The row of a handset that sent this text a day ago."""
    rules, numbers = ConsentRules(), Directory(directory())
    then = datetime.now(UTC) - timedelta(days=1)
    message = MoMessage(
        message_id="0" * 32,
        handset=handset_of(0),
        number=NUMBER,
        text=text,
        octets=text.encode(),
        charset="ISO-8859-1",
        api_id="12345",
        account="main",
        mo_msg_ids=[],
        part_ids=[],
        gateway_time=then,
        received_at=then,
        parts_total=1,
        parts_missing=[],
        complete=True,
        lossy=False,
        flags=[],
        source=Source.HTTP,
        network_id="",
    )
    row = take_message(None, message, directory=numbers, now=then, rules=rules).row
    if row is None:
        raise RuntimeError(f"{text!r} left no row")
    due = consent_due_at(row)
    return fall_due(row, directory=numbers, now=due, rules=rules).row or row if due else row


def changelog_rows(handsets: int) -> Iterator[tuple[int, bytes, bytes]]:
    """Partition, key and value of each handset's row."""
    table = bytes([TABLES.index(CONSENTS) + 1])
    kinds = [row_after(text) for text in SAID]
    for number in range(handsets):
        handset = handset_of(number)
        row = msgspec.structs.replace(kinds[number % len(kinds)], handset=handset)
        key = key_from_handset(handset)
        value = octets_from_row(StateRow(octets_from_consent(row)))
        yield topics.partition_of(key, PARTITIONS), table + key, value


async def write_changelog(bootstrap: str, handsets: int) -> None:
    """Write every handset's row, and for each partition the point at which its tables are."""
    name = topics.CONVERSATION_CHANGELOG
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=BATCH_OCTETS
    )
    await producer.start()
    try:
        rows: defaultdict[int, list[tuple[bytes, bytes]]] = defaultdict(list)
        octets = 0
        for partition, key, value in changelog_rows(handsets):
            rows[partition].append((key, value))
            octets += len(key) + len(value)
            if octets > BATCH_OCTETS:
                await _send(producer, name, rows)
                octets = 0
        for partition in range(PARTITIONS):
            rows[partition].append(point_row(Point(sequence=1)))
        await _send(producer, name, rows)
    finally:
        await producer.stop()


async def _send(
    producer: AIOKafkaProducer, topic: str, rows: defaultdict[int, list[tuple[bytes, bytes]]]
) -> None:
    sent = []
    for partition, pairs in rows.items():
        batch = producer.create_batch()
        for key, value in pairs:
            if batch.append(key=key, value=value, timestamp=None) is None:
                sent.append(await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(key=key, value=value, timestamp=None)
        sent.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*sent)
    rows.clear()


def requests_for(count: int, *, handsets: int, run: str) -> Iterator[tuple[str, bytes, bytes]]:
    """Requests to random handsets."""
    rng = random.Random(11)
    for n in range(count):
        handset = handset_of(rng.randrange(handsets))
        request = MtRequest(
            request_id=f"{run}-{n}",
            to=handset,
            text="Thank you, we have got your message.",
            sender_id=NUMBER,
            requested_at=datetime.now(UTC),
        )
        yield topics.MT_REQUEST, key_from_handset(handset), single_object.encode(request)


async def decisions(bootstrap: str, ready: asyncio.Event) -> AsyncIterator[list[str]]:
    """The decisions on requests, from now on, as they are committed."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", fetch_max_wait_ms=50
    )
    await consumer.start()
    try:
        names = (topics.MT_COMMAND, topics.MT_REJECTION)
        consumer.assign([TopicPartition(name, p) for name in names for p in range(PARTITIONS)])
        await consumer.seek_to_end()
        for tp in consumer.assignment():
            await consumer.position(tp)
        ready.set()
        while True:
            for records in (await consumer.getmany(timeout_ms=50)).values():
                yield [single_object.decode(record.value).request_id for record in records]
    finally:
        await consumer.stop()


async def rate_of(
    bootstrap: str, worker: subprocess.Popen[bytes], count: int, *, handsets: int
) -> float:
    """Requests a second, from the first decision that is seen to the last.

    The worker is stopped while the requests are published.
    """
    ready = asyncio.Event()
    done, first, last = 0, 0.0, 0.0

    async def watch() -> None:
        nonlocal done, first, last
        async for decided in decisions(bootstrap, ready):
            last = time.monotonic()
            first = first or last
            done += len(decided)
            if done >= count:
                return

    watching = asyncio.create_task(watch())
    await ready.wait()
    worker.send_signal(signal.SIGSTOP)
    await publish(bootstrap, list(requests_for(count, handsets=handsets, run="rate")))
    worker.send_signal(signal.SIGCONT)
    await asyncio.wait_for(watching, SECONDS)
    return done / (last - first)


async def latency_of(bootstrap: str, *, handsets: int, rate: int, seconds: int) -> dict[str, float]:
    """The latencies from sending a request to its decision, at a steady rate."""
    ready = asyncio.Event()
    total = rate * seconds
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}

    async def watch() -> None:
        async for decided in decisions(bootstrap, ready):
            now = time.monotonic()
            seen.update({request: now for request in decided if request.startswith("steady-")})
            if len(seen) >= total:
                return

    watching = asyncio.create_task(watch())
    await ready.wait()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        began = time.monotonic()
        for n, (topic, key, value) in enumerate(
            requests_for(total, handsets=handsets, run="steady")
        ):
            await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
            sent[f"steady-{n}"] = time.monotonic()
            await producer.send(topic, value, key=key)
        await asyncio.wait_for(watching, SECONDS)
    finally:
        await producer.stop()
    return percentiles([seen[request] - sent[request] for request in sent])


async def until_ready(bootstrap: str) -> None:
    """Wait until the worker has restored every partition: one request of each is decided."""
    ready = asyncio.Event()
    waiting: set[str] = set()

    async def watch() -> None:
        async for decided in decisions(bootstrap, ready):
            waiting.difference_update(decided)
            if not waiting:
                return

    watching = asyncio.create_task(watch())
    await ready.wait()
    probes: dict[int, tuple[str, bytes, bytes]] = {}
    for topic, key, value in requests_for(1_000, handsets=1_000, run="probe"):
        probes.setdefault(topics.partition_of(key, PARTITIONS), (topic, key, value))
    waiting |= {single_object.decode(value).request_id for _, _, value in probes.values()}
    await publish(bootstrap, list(probes.values()))
    await asyncio.wait_for(watching, SECONDS)


def run(
    bootstrap: str,
    home: Path,
    *,
    handsets: int = HANDSETS,
    requests: int = REQUESTS,
    seconds: int = RATE_SECONDS,
) -> list[tuple[str, str]]:
    """The rows for docs/measured.md."""
    create_topics(bootstrap, Settings(kafka=bootstrap, partitions=PARTITIONS))
    numbers = single_object.encode(directory())
    asyncio.run(publish(bootstrap, [(topics.NUMBERS, None, numbers, n) for n in range(PARTITIONS)]))
    asyncio.run(write_changelog(bootstrap, handsets))
    with process(["-m", "pipeline.cli.main", "worker"], bootstrap=bootstrap, home=home) as worker:
        began = time.monotonic()
        asyncio.run(until_ready(bootstrap))
        restored = time.monotonic() - began
        rate = asyncio.run(rate_of(bootstrap, worker, requests, handsets=handsets))
        latency = asyncio.run(latency_of(bootstrap, handsets=handsets, rate=RATE, seconds=seconds))
    held = f"{handsets:,} consents on disk"
    return [
        (f"gate, one worker, {held}", f"{rate:,.0f} requests/s"),
        (
            f"from mt-request to its committed decision, {RATE} requests/s, {held}",
            f"p50 {latency['p50 ms']:,.0f} ms, p99 {latency['p99 ms']:,.0f} ms",
        ),
        (f"start of a worker without a disk, {held}", f"{restored:.1f} s"),
    ]


def on_a_broker(home: Path) -> list[tuple[str, str]]:
    """The rows, measured on a broker that this bench starts."""
    broker = LocalKafka(home=home / "kafka", partitions=PARTITIONS)
    broker.start()
    try:
        return run(broker.bootstrap, home / "worker")
    finally:
        broker.stop()
