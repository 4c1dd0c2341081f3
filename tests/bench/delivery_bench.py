"""Messages a second that one `twoway deliver` hands on, and how soon the first octet leaves.

    python -m tests.bench --only delivery

Broker and an application that answers after 5 ms are on the same machine. Beside it stands the same
client, fed from a list, with as many under way.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Final

import uvloop
from aiokafka import AIOKafkaProducer

from pipeline.avro import single_object
from pipeline.cli.local.kafka import LocalKafka
from pipeline.delivery.orders import DeliveryOrder
from pipeline.delivery.secrets_file import NONE
from pipeline.delivery.ways.make import reply_way_of
from pipeline.directory.directory import numbers_from_toml
from pipeline.kafka import topics
from pipeline.kafka.admin import create_topics
from pipeline.records import MoMessage, ReplyPath
from pipeline.settings import Settings
from pipeline.sms.msisdn import key_from_handset
from tests.bench.delivery import beside_retries
from tests.bench.delivery.open_retries import ROWS as OPEN_RETRIES
from tests.bench.delivery.open_retries import rows_of
from tests.bench.latency_bench import percentiles
from tests.bench.pipeline_bench import process, publish
from tests.bench.sender.outside import one_after_another
from tests.bench.smpp_bench import processor_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

PARTITIONS: Final = 12  # as an installation has them
WINDOW: Final = 16
MESSAGES: Final = 20_000
WARM_UP: Final = 0.2
RATE: Final = 50
RATE_SECONDS: Final = {"just started": 10, "then": 30}
SECONDS: Final = 180.0
NUMBER: Final = "447700900100"
DELIVER: Final = ("-m", "pipeline.cli.main", "deliver")


class Application:
    """The counterpart, and what came there."""

    def __init__(self, url: str, log: Path) -> None:
        self.url = url
        self._log = log

    def came(self) -> list[tuple[float, str]]:
        """What came, and when."""
        lines = self._log.read_text().split("\n")[:-1]
        return [(float(at), name) for at, _, name in (line.partition(" ") for line in lines)]


@contextmanager
def application(folder: Path) -> Iterator[Application]:
    """A counterpart in a process of its own."""
    folder.mkdir(parents=True)
    log = folder / "came.log"
    log.touch()
    words = [sys.executable, "-m", "tests.bench.delivery.counterpart", str(log)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as peer:
        try:
            port = int(peer.stdout.readline()) if peer.stdout else 0
            yield Application(f"http://127.0.0.1:{port}/", log)
        finally:
            peer.kill()


def message(number: int, prefix: str) -> MoMessage:
    """A message of a handset of its own."""
    now = datetime.now(UTC)
    name = f"{prefix}-{number}"
    return MoMessage(
        message_id=name,
        handset=f"2782{prefix}{number:06d}",
        number=NUMBER,
        text="Thank you, we have got your message.",
        octets=b"Thank you, we have got your message.",
        charset="ISO-8859-1",
        api_id="1",
        account="main",
        mo_msg_ids=[name],
        part_ids=[name],
        gateway_time=now,
        received_at=now,
        parts_total=1,
        parts_missing=[],
        complete=True,
        lossy=False,
        flags=[],
        source="http",
        network_id="",
    )


def as_record(message: MoMessage) -> tuple[str, bytes, bytes]:
    """A message as a record of its topic."""
    key = key_from_handset(message.handset)
    return topics.MO_MESSAGE, key, single_object.encode(message)


async def from_a_list(path: ReplyPath, messages: Sequence[MoMessage]) -> tuple[float, float]:
    """By the way alone: no Kafka, no rows. Messages a second, and processor seconds of each."""
    way = reply_way_of(path, NONE)

    async def deliver(one: MoMessage) -> None:
        order = DeliveryOrder(
            partition=0,
            delivery_id=one.message_id,
            path=path,
            kind="message",
            subject_id=one.message_id,
            handset=one.handset,
            octets=b"",
            attempt=1,
            is_first_try=True,
            since=one.received_at,
        )
        seen = await way.deliver(order, one)
        if not seen.is_delivered:
            raise RuntimeError(seen.words)

    at_once = WINDOW * PARTITIONS
    try:
        await one_after_another(messages[:at_once], at_once, deliver)  # it connects
        began, busy = perf_counter(), process_time()
        await one_after_another(messages[at_once:], at_once, deliver)
        count = len(messages) - at_once
        return count / (perf_counter() - began), (process_time() - busy) / count
    finally:
        await way.close()


def toml_of(url: str) -> str:
    """One number, and its path."""
    return (
        f'[[number]]\nnumber = "{NUMBER}"\nkind = "vmn"\napi_id = "1"\nreply_path = "crm"\n'
        f'[reply_path.crm]\nway = "http-post"\nurl = "{url}"\nwindow = {WINDOW}\n'
    )


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError("nothing is handed on")
        time.sleep(0.05)


async def latencies(bootstrap: str, peer: Application, seconds: int, prefix: str) -> list[float]:
    """From the acknowledgement of a message to its first octet, at a steady rate."""
    committed: dict[str, float] = {}
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()

    async def send(number: int) -> None:
        one = message(number, prefix)
        topic, key, value = as_record(one)
        await producer.send_and_wait(topic, value, key=key)
        committed[one.message_id] = time.time()

    try:
        began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for number in range(RATE * seconds):
                await asyncio.sleep(max(0.0, began + number / RATE - time.monotonic()))
                group.create_task(send(number))
    finally:
        await producer.stop()
    while len(came := {n: at for at, n in peer.came() if n in committed}) < len(committed):  # noqa: ASYNC110 - a file
        await asyncio.sleep(0.1)
    return [came[name] - at for name, at in committed.items()]


def on_a_broker(home: Path) -> Iterator[tuple[str, str]]:
    """The rows, on a broker of their own."""
    broker = LocalKafka(home=home / "kafka", partitions=PARTITIONS)
    broker.start()
    bootstrap = broker.bootstrap
    try:
        create_topics(bootstrap, Settings(kafka=bootstrap, partitions=PARTITIONS))
        with application(home / "application") as peer:
            now = datetime.now(UTC)
            numbers = numbers_from_toml(toml_of(peer.url), origin="bench", loaded_at=now)
            (path,) = numbers.reply_paths
            some = [message(number, "00") for number in range(MESSAGES)]
            alone, alone_busy = uvloop.run(from_a_list(path, some))
            octets = single_object.encode(numbers)
            loads = [(topics.NUMBERS, None, octets, at) for at in range(PARTITIONS)]
            asyncio.run(publish(bootstrap, loads))
            settings = {"partitions": str(PARTITIONS)}
            with process(
                DELIVER, bootstrap=bootstrap, home=home / "deliver", settings=settings
            ) as deliver:
                before = len(peer.came())
                asyncio.run(publish(bootstrap, [as_record(message(0, "01"))]))
                _until(lambda: len(peer.came()) > before)
                for prefix, (when, seconds) in enumerate(RATE_SECONDS.items(), start=10):
                    found = percentiles(
                        uvloop.run(latencies(bootstrap, peer, seconds, str(prefix)))
                    )
                    words = f"p50 {found['p50 ms']} ms, p99 {found['p99 ms']} ms"
                    yield f"message committed -> first octet, {RATE} messages/s, {when}", words
                rate, busy = _rate_of(bootstrap, peer, deliver.pid)
            yield (
                f"one deliver, window {WINDOW} in each of {PARTITIONS} partitions, an application"
                " that takes 5 ms",
                f"{rate:,.0f} messages/s, {1e6 * busy:,.0f} µs of processor time each,"
                f" {rate / alone:.2f} of its client alone",
            )
            yield (
                "its client alone, from a list, as many under way",
                f"{alone:,.0f} messages/s, {1e6 * alone_busy:,.0f} µs of processor time each",
            )
    finally:
        broker.stop()
    yield from rows_of(OPEN_RETRIES)
    yield from beside_retries.rows_of(home / "beside")


def _rate_of(bootstrap: str, peer: Application, pid: int) -> tuple[float, float]:
    """With a backlog; without what came before it had warmed up."""
    begin = len(peer.came())
    records = [as_record(message(number, "20")) for number in range(MESSAGES)]
    asyncio.run(publish(bootstrap, records))
    first = begin + int(MESSAGES * WARM_UP)
    _until(lambda: len(peer.came()) >= first)
    before, counted = processor_seconds(pid), len(peer.came())
    _until(lambda: len(peer.came()) >= begin + MESSAGES)
    after = processor_seconds(pid)
    came = peer.came()
    if len({name for _, name in came[begin:]}) != MESSAGES:
        raise RuntimeError("not every message came once")
    last = begin + MESSAGES
    rate = (last - counted) / (came[last - 1][0] - came[counted - 1][0])
    return rate, (after - before) / (last - counted)
