"""Lines of mo.log a second, fetched by FTP and acknowledged by Kafka, and the cost of each.

    python -m tests.bench --only log [--messages 100000]

pyftpdlib serves the log from the process of the bench. Beside the poller: ftplib alone, which
fetches the same log and drops it, and bare aiokafka, which produces the same records with acks=all.
"""

from __future__ import annotations

import asyncio
import time
import warnings
from collections import deque
from ftplib import FTP
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Final

import uvloop
from aiokafka import AIOKafkaProducer

from ingest.common.log_lines import outgoing_from_line
from pipeline.avro.single_object import encode
from pipeline.cli.local.kafka import LocalKafka
from pipeline.clock import PipelineClock
from pipeline.kafka.admin import create_topics
from pipeline.settings import Settings
from pipeline.wire.callback import MoCallback
from pipeline.wire.mo_log import render
from tests.bench.smpp_bench import Figures, processor_seconds
from tests.ingest.ftp.process import ftp_process, position_in

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # pyftpdlib's asyncore
    from tests.ingest.ftp.peer import PASSWORD, USER, Peer, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

BARE: Final = "bare aiokafka, acks=all, the records of mo.log"
LOG: Final = "mo.log"
PARTITIONS: Final = 4
IN_FLIGHT: Final = 1_000
PATIENCE_SECONDS: Final = 100.0
POLL_SECONDS: Final = 0.05


def lines(count: int) -> list[bytes]:
    """Lines as the gateway writes them; each line is a different part."""
    return [
        render(
            MoCallback(
                timestamp=f"2026-03-29 12:{number // 60 % 60:02d}:{number % 60:02d}",
                handset=f"4477{number % 5_000:08d}",
                number="447700900123",
                octets=b"Hi, this is message %d" % number,
                api_id="3460000",
                mo_msg_id=f"{number:032x}",
                charset="ISO-8859-1",
            )
        )
        for number in range(count)
    ]


def by_ftplib(peer: Peer, count: int) -> Figures:
    """ftplib alone: the same log, fetched and dropped."""
    with FTP() as ftp:  # noqa: S321 - what is measured
        ftp.connect(peer.host, peer.port)
        ftp.login(USER, PASSWORD)
        began, worked = perf_counter(), process_time()
        ftp.retrbinary(f"RETR {LOG}", lambda octets: None, blocksize=64 * 1024)
        took = perf_counter() - began
    return Figures(count, took, process_time() - worked, 0.0)


def by_poller(peer: Peer, home: Path, bootstrap: str, octets: bytes, count: int) -> Figures:
    """The poller: from the moment the log is there until its checkpoint has the whole log."""
    home.mkdir()
    log, checkpoint = peer.folder / LOG, home / "ftp" / "checkpoint"
    log.write_bytes(b"")
    with ftp_process(peer.settings(home, ftp_poll_seconds=POLL_SECONDS), bootstrap) as process:
        wait_for(checkpoint.exists)
        draft = peer.folder / "draft"
        draft.write_bytes(octets)
        before, driving, began = processor_seconds(process.pid), process_time(), perf_counter()
        draft.rename(log)
        wait_for(lambda: position_in(checkpoint) == len(octets))
        took = perf_counter() - began
        worked = processor_seconds(process.pid) - before
    return Figures(count, took, worked, process_time() - driving)


def wait_for(true: Callable[[], bool]) -> None:
    deadline = perf_counter() + PATIENCE_SECONDS
    while not true():
        if perf_counter() > deadline:
            raise RuntimeError("the log was not read in time")
        time.sleep(0.01)


async def bare(bootstrap: str, given: Iterable[bytes]) -> Figures:
    """aiokafka alone: the records that the poller would make, with as many under way."""
    now = PipelineClock().now()
    outgoing = [one for line in given if (one := outgoing_from_line(line, now=now))]
    left = deque((one.topic, one.key, encode(one.record)) for one in outgoing)
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=512 * 1024
    )
    await producer.start()
    try:

        async def one_after_another() -> None:
            while left:
                topic, key, value = left.popleft()
                await (await producer.send(topic, value, key=key))

        topic, key, value = left[0]
        for _ in range(PARTITIONS):  # a topic that is new takes its time
            await producer.send_and_wait(topic, value, key=key)
        began, worked = perf_counter(), process_time()
        await asyncio.gather(*(one_after_another() for _ in range(IN_FLIGHT)))
        return Figures(len(outgoing), perf_counter() - began, process_time() - worked, 0.0)
    finally:
        await producer.stop()


def rows(home: Path, count: int) -> list[tuple[str, str]]:
    """All rows, measured on a broker that this bench starts."""
    home.mkdir()
    broker = LocalKafka(home=home / "kafka", partitions=PARTITIONS)
    broker.start()
    given = lines(count)
    octets = b"".join(line + b"\r\n" for line in given)
    try:
        create_topics(broker.bootstrap, Settings(partitions=PARTITIONS))
        found = {
            BARE: uvloop.run(bare(broker.bootstrap, given)),
        }
        for name, tls in (("FTP", False), ("FTPS", True)):
            with serving(home / f"files-{name}", tls=tls) as peer:
                what = f"lines of mo.log by {name}, each acknowledged"
                found[what] = by_poller(peer, home / name, broker.bootstrap, octets, count)
                if not tls:
                    found["ftplib alone, fetching the same log"] = by_ftplib(peer, count)
    finally:
        broker.stop()
    reference = found[BARE].rate
    return [(what, in_words(figures, reference)) for what, figures in found.items()]


def in_words(figures: Figures, reference: float) -> str:
    each = 1e6 * figures.receiver_seconds / figures.messages
    busy = figures.receiver_seconds / figures.seconds
    share = f" ({figures.rate / reference:.2f} of bare)" if figures.rate < reference else ""
    return (
        f"{figures.rate:,.0f} lines/s{share}, {each:.0f} µs of processor time each,"
        f" {busy:.0%} of a core"
    )
