"""The engine's share of the latency: from the append to mo-raw to the commit of the result.

Only a broker, a worker and the load run. The records of the load go to the topics directly.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aiokafka import AIOKafkaProducer

from pipeline.avro import single_object
from pipeline.cli.local.kafka import LocalKafka
from pipeline.cli.local.ports import LOOPBACK, free_port
from pipeline.cli.local.stack_settings import answers_ready
from pipeline.kafka import topics
from pipeline.kafka.admin import create_topics
from pipeline.records import MoRaw, MtRequest
from pipeline.settings import Settings
from pipeline.sms.msisdn import key_from_handset
from pipeline.wire import http_form
from tests.bench.latency_bench import callback_of, percentiles, watch_topics
from tests.bench.pipeline_bench import process, publish
from tests.bench.traffic import NUMBER, directory

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

READY_SECONDS = 60.0
LOG_APPEND_TIME = 1  # a record's timestamp type: the time is the broker's


async def measure(
    *, kafka: str, partitions: int, rate: int, seconds: int
) -> dict[str, dict[str, float]]:
    """The latencies over `rate * seconds` messages; each message is answered by an MT at once."""
    run = f"{time.time_ns():x}"
    total = rate * seconds
    appended: dict[str, float] = {}
    messages: dict[str, float] = {}
    commands: dict[str, float] = {}
    watching = asyncio.Event()
    watcher = asyncio.create_task(
        watch_topics(kafka, partitions, run, total, messages, commands, watching=watching)
    )
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True)
    await producer.start()
    try:
        await asyncio.wait_for(watching.wait(), timeout=60)
        began = time.monotonic()
        sending = []
        for n in range(total):
            await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
            sending.append(asyncio.create_task(_append(producer, f"{run}{n:015x}", n, appended)))
        await asyncio.gather(*sending)
        await asyncio.wait_for(watcher, timeout=60)
    finally:
        await producer.stop()
    return {
        f"mo-raw appended -> {what} committed": percentiles(
            [seen[each] - appended[each] for each in appended]
        )
        for what, seen in (("mo-message", messages), ("its answer in mt-command", commands))
    }


async def _append(
    producer: AIOKafkaProducer, mo_msg_id: str, n: int, appended: dict[str, float]
) -> None:
    callback = callback_of(mo_msg_id, n)
    key, now = key_from_handset(callback.handset), datetime.now(UTC)
    raw = MoRaw(
        source="http",
        received_at=now,
        method="GET",
        content_type="",
        query=http_form.render(callback),
        octets=b"",
    )
    stored = await producer.send_and_wait(topics.MO_RAW, single_object.encode(raw), key=key)
    if stored.timestamp_type != LOG_APPEND_TIME:
        raise RuntimeError(f"{topics.MO_RAW} does not keep the broker's time")
    # Broker and bench are on one machine: one clock, and another that goes on as evenly.
    appended[mo_msg_id] = stored.timestamp / 1000 - time.time() + time.monotonic()
    request = MtRequest(
        request_id=mo_msg_id,
        to=callback.handset,
        text="Thank you",
        sender_id=NUMBER,
        requested_at=now,
    )
    await producer.send_and_wait(topics.MT_REQUEST, single_object.encode(request), key=key)


def on_a_broker(home: Path, *, rate: int, spells: Mapping[str, int]) -> list[tuple[str, str]]:
    """The rows of the table: one period of measuring after another, on one broker."""
    settings = Settings()
    broker = LocalKafka(home=home / "kafka", partitions=settings.partitions)
    broker.start()
    try:
        create_topics(broker.bootstrap, Settings(kafka=broker.bootstrap))
        numbers = single_object.encode(directory())
        sent = [(topics.NUMBERS, None, numbers, n) for n in range(settings.partitions)]
        asyncio.run(publish(broker.bootstrap, sent))
        port = free_port()
        with process(
            ["-m", "pipeline.cli.main", "worker"],
            bootstrap=broker.bootstrap,
            home=home / "worker",
            settings={"partitions": str(settings.partitions), "metrics_port": str(port)},
        ):
            await_ready(port)
            return [
                (
                    f"{what}, {rate} messages/s, broker and worker alone, {when}",
                    f"p50 {at['p50 ms']} ms, p99 {at['p99 ms']} ms",
                )
                for when, seconds in spells.items()
                for what, at in asyncio.run(
                    measure(
                        kafka=broker.bootstrap,
                        partitions=settings.partitions,
                        rate=rate,
                        seconds=seconds,
                    )
                ).items()
            ]
    finally:
        broker.stop()


def await_ready(port: int, *, seconds: float = READY_SECONDS) -> None:
    """Return once the process whose metrics are at this port is ready."""
    deadline = time.monotonic() + seconds
    while not answers_ready(LOOPBACK, port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the process is not ready in {seconds:.0f} s")
        time.sleep(0.1)
