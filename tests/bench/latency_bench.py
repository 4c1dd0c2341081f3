"""The latency to the gateway's 200, and from there to the row in ClickHouse and to the MT command.

Messages are sent at a steady rate.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp
from aiokafka import TopicPartition

from pipeline.avro import single_object
from pipeline.kafka import topics
from pipeline.kafka.client.paced_consumer import PacedConsumer
from pipeline.wire import http_form
from pipeline.wire.callback import MoCallback
from tests.bench.traffic import NUMBER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

# Looking costs the machine that is measured. What is seen is seen so much too late, at most.
POLL_SECONDS = 0.25  # for rows, which wait a second for their block
WATCH_SECONDS = 0.02  # for records
GATEWAY_ZONE = timedelta(hours=2)


def percentiles(seconds: list[float]) -> dict[str, float]:
    """p50 and p99 in milliseconds."""
    ordered = sorted(seconds)
    return {
        "p50 ms": round(ordered[len(ordered) // 2] * 1000, 1),
        "p99 ms": round(ordered[len(ordered) * 99 // 100] * 1000, 1),
    }


async def measure(
    *,
    ingest: str,
    kafka: str,
    partitions: int,
    rate: int,
    seconds: int,
    report: str = "",
    are_answered: bool = True,
) -> dict[str, dict[str, float]]:
    """The latencies over `rate * seconds` messages, of which each may be answered by an MT at once.

    Without a `report`, nobody asks for rows.
    """
    run = f"{time.time_ns():x}"
    asked: dict[str, float] = {}
    acknowledged: dict[str, float] = {}
    seen_row: dict[str, float] = {}
    seen_message: dict[str, float] = {}
    seen_command: dict[str, float] = {}
    total = rate * seconds
    watching = asyncio.Event()
    async with aiohttp.ClientSession() as http:
        watchers = [
            asyncio.create_task(
                watch_topics(
                    kafka,
                    partitions,
                    run,
                    total,
                    seen_message,
                    seen_command if are_answered else None,
                    watching=watching,
                )
            ),
        ]
        if report:
            watchers.append(
                asyncio.create_task(_watch_rows(http, report, run, total, seen_row)),
            )
        await asyncio.wait_for(watching.wait(), timeout=60)
        began = time.monotonic()
        sending = []
        for n in range(total):
            await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
            exchange = _exchange(
                http, ingest, f"{run}{n:015x}", n, asked, acknowledged, is_answered=are_answered
            )
            sending.append(asyncio.create_task(exchange))
        await asyncio.gather(*sending)
        await asyncio.wait_for(asyncio.gather(*watchers), timeout=60)
    since_the_200 = {
        "row in ClickHouse": seen_row,
        "mo-message committed": seen_message,
        "its answer in mt-command committed": seen_command,
    }
    return {"callback -> its 200": percentiles([acknowledged[i] - asked[i] for i in asked])} | {
        f"200 -> {what}": percentiles([max(0.0, seen[i] - acknowledged[i]) for i in acknowledged])
        for what, seen in since_the_200.items()
        if seen
    }


def callback_of(mo_msg_id: str, n: int) -> MoCallback:
    """The nth message, from a handset of its own."""
    return MoCallback(
        handset=f"2788{n:08d}",
        number=NUMBER,
        api_id="12345",
        mo_msg_id=mo_msg_id,
        timestamp=f"{datetime.now(UTC) + GATEWAY_ZONE:%Y-%m-%d %H:%M:%S}",
        charset="ISO-8859-1",
        octets=b"Here is the message text",
    )


async def _exchange(
    http: aiohttp.ClientSession,
    ingest: str,
    mo_msg_id: str,
    n: int,
    asked: dict[str, float],
    acknowledged: dict[str, float],
    *,
    is_answered: bool,
) -> None:
    callback = callback_of(mo_msg_id, n)
    url = f"{ingest}/mo/http?{http_form.render(callback).decode()}"
    asked[mo_msg_id] = time.monotonic()
    async with http.get(url) as answer:
        if answer.status != 200:
            raise RuntimeError(f"ingest answered {answer.status}")
    acknowledged[mo_msg_id] = time.monotonic()
    if not is_answered:
        return
    request = {"to": callback.handset, "text": "Thank you", "from": NUMBER}
    headers = {"Idempotency-Key": mo_msg_id}
    async with http.post(f"{ingest}/mt", json=request, headers=headers) as answer:
        if answer.status != 202:
            raise RuntimeError(f"ingest answered {answer.status}")


async def _watch_rows(
    http: aiohttp.ClientSession, report: str, run: str, total: int, seen: dict[str, float]
) -> None:
    """Poll ClickHouse for the rows of this run.

    Most polls ask for the newest rows only, so that they cost little. Some polls look for late
    rows.
    """
    query = (
        "SELECT mo_msg_ids[1] AS id FROM mo_message "
        "WHERE startsWith(mo_msg_ids[1], {run:String}) "
        "AND received_at > now64(3) - {seconds:UInt32}"
    )
    for poll in itertools.count(1):
        if len(seen) == total:
            return
        seconds = "5" if poll % 50 else "300"
        body = {"query": query, "parameters": {"run": run, "seconds": seconds}}
        async with http.post(f"{report}/sql", json=body) as answer:
            lines = (await answer.text()).splitlines()
        now = time.monotonic()
        for line in lines:
            seen.setdefault(json.loads(line)["id"], now)
        await asyncio.sleep(POLL_SECONDS)


async def watch_topics(
    kafka: str,
    partitions: int,
    run: str,
    total: int,
    messages: dict[str, float],
    commands: dict[str, float] | None,
    *,
    watching: asyncio.Event,
) -> None:
    """Record when each message and each command of a run is seen; return when all are seen.

    Without `commands`, none is waited for.

    One consumer reads both topics, so that it takes less of the processor.
    """
    names = (topics.MO_MESSAGE, *([] if commands is None else [topics.MT_COMMAND]))
    wanted = total if commands is None else 2 * total
    async for record in _records(kafka, partitions, names, watching=watching):
        value: Any = single_object.decode(record.value)
        if record.topic == topics.MO_MESSAGE or commands is None:
            seen, found = messages, value.mo_msg_ids[0]
        else:
            seen, found = commands, value.request_id
        if found.startswith(run):
            seen.setdefault(found, time.monotonic())
        if len(messages) + len(commands or ()) == wanted:
            return


async def _records(
    kafka: str, partitions: int, names: Sequence[str], *, watching: asyncio.Event
) -> AsyncIterator[Any]:
    """Records of topics from now on, as they are committed.

    Sets `watching` when the start positions are fixed.
    """
    consumer = PacedConsumer(
        gap_seconds=lambda: WATCH_SECONDS,
        bootstrap_servers=kafka,
        isolation_level="read_committed",
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(t, p) for t in names for p in range(partitions)])
        for tp, end in (await consumer.end_offsets(consumer.assignment())).items():
            consumer.seek(tp, end)
        watching.set()
        while True:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                for record in records:
                    yield record
    finally:
        await consumer.stop()
