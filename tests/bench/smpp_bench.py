"""deliver_sm a second that Kafka acknowledged before the answer, and the cost of each.

    python -m tests.bench --only smpp [--messages 30000]

Two gateways drive one `twoway smpp`: smpp34's server, which is not ours and costs as much as the
receiver, and a sender of prepared octets. Bare aiokafka produces the same records with acks=all.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Final

import smpp34
import uvloop
from aiokafka import AIOKafkaProducer

from pipeline.avro.single_object import encode
from pipeline.cli.local.kafka import LocalKafka
from pipeline.cli.local.ports import free_port
from pipeline.kafka.admin import create_topics
from pipeline.kafka.topics import MO_RAW
from pipeline.records import MoRaw, Source
from pipeline.settings import Settings
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.pdu import Command, Framer, Status
from tests.ingest.smpp.process import smpp_process
from tests.ingest.smpp.smsc import Smsc, with_sequence
from tests.wire.smpp.test_callback import pdu_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

PARTITIONS: Final = 4
WINDOW: Final = 1_000
WARM_UP: Final = 1_000
NUMBER: Final = "447700900123"
_SECONDS_A_TICK: Final = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Figures:
    """The figures of one run, with the processor time of the receiver and of the sender."""

    messages: int
    seconds: float
    receiver_seconds: float
    driver_seconds: float

    @property
    def rate(self) -> float:
        return self.messages / self.seconds


def handset(number: int) -> str:
    return f"4477{number % 5_000:08d}"


def text(number: int) -> bytes:
    return b"Hi, this is message %d" % number


def processor_seconds(pid: int) -> float:
    """The processor seconds of a process so far (proc(5): utime, stime)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _SECONDS_A_TICK


async def measured(pid: int, messages: int, deliver: Callable[[range], Awaitable[None]]) -> Figures:
    """The figures of `deliver`, after some deliveries to warm up."""
    await deliver(range(WARM_UP))
    before, driving, began = processor_seconds(pid), process_time(), perf_counter()
    await deliver(range(WARM_UP, WARM_UP + messages))
    took = perf_counter() - began
    return Figures(messages, took, processor_seconds(pid) - before, process_time() - driving)


async def by_smpp34(home: Path, bootstrap: str, messages: int) -> Figures:
    """smpp34's server, with this many deliver_sm under way at a time."""
    port = free_port()
    server = smpp34.Server("127.0.0.1", port)
    await server.start()
    try:
        with smpp_process(home, bootstrap, port) as process:
            bound = await server.next()
            assert isinstance(bound, smpp34.Esme)

            async def deliver(numbers: range) -> None:
                left = deque(numbers)
                await asyncio.gather(*(one_after_another(left) for _ in range(WINDOW)))

            async def one_after_another(left: deque[int]) -> None:
                while left:
                    number = left.popleft()
                    answer = await bound.deliver_sm(
                        NUMBER, text(number), source_addr=handset(number)
                    )
                    if not answer.is_success:
                        raise RuntimeError(f"answered {answer.command_status:#x}")

            return await measured(process.pid, messages, deliver)
    finally:
        await server.stop()


async def by_prepared_octets(home: Path, bootstrap: str, messages: int) -> Figures:
    """PDUs rendered beforehand, written as answers make room; enquire_link is answered."""
    smsc = Smsc()
    server = await asyncio.start_server(smsc.connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pdus = [
        with_sequence(pdu_of(text(number), source=handset(number), destination=NUMBER), number + 1)
        for number in range(WARM_UP + messages)
    ]
    try:
        with smpp_process(home, bootstrap, port) as process:
            session = await smsc.bound()
            framer = Framer()

            async def deliver(numbers: range) -> None:
                sent, answered = numbers.start, numbers.start
                while answered < numbers.stop:
                    until = min(numbers.stop, answered + WINDOW)
                    session.writer.write(b"".join(pdus[sent:until]))
                    sent = until
                    for octets in framer.feed(await session.reader.read(1 << 18)):
                        answered += take(octets)

            def take(octets: bytes) -> int:
                """1 for a deliver_sm that was answered OK."""
                pdu = smpp_pdu.parse(octets)
                if pdu is None or pdu.status != Status.OK:
                    raise RuntimeError(f"answered {octets.hex()}")
                if pdu.command == Command.ENQUIRE_LINK:
                    session.writer.write(smpp_pdu.render(smpp_pdu.answer_to(pdu)))
                return pdu.command == Command.DELIVER_SM_RESP

            figures = await measured(process.pid, messages, deliver)
            smsc.end()
            return figures
    finally:
        server.close()
        await server.wait_closed()


async def bare(bootstrap: str, messages: int) -> Figures:
    """aiokafka alone: the records that the receiver would make, with as many under way."""
    records = [record_of(number) for number in range(WARM_UP + messages)]
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, max_batch_size=512 * 1024
    )
    await producer.start()
    try:

        async def deliver(numbers: range) -> None:
            left = deque(numbers)
            await asyncio.gather(*(one_after_another(left) for _ in range(WINDOW)))

        async def one_after_another(left: deque[int]) -> None:
            while left:
                key, value = records[left.popleft()]
                await (await producer.send(MO_RAW, value, key=key))

        return await measured(os.getpid(), messages, deliver)
    finally:
        await producer.stop()


def record_of(number: int) -> tuple[bytes, bytes]:
    """Key and value in mo-raw."""
    source = handset(number)
    raw = MoRaw(
        source=Source.SMPP,
        received_at=datetime.now(UTC),
        method="",
        content_type="",
        query=b"",
        octets=pdu_of(text(number), source=source, destination=NUMBER),
        alphabet="gsm7",
        bind="0" * 32,
        delivery=number + 1,
    )
    return source.encode(), encode(raw)


def rows(home: Path, messages: int) -> list[tuple[str, str]]:
    """All three rows, measured on a broker that this bench starts."""
    broker = LocalKafka(home=home / "kafka", partitions=PARTITIONS)
    broker.start()
    try:
        create_topics(broker.bootstrap, Settings(partitions=PARTITIONS))
        found = {
            "bare aiokafka, acks=all, the records that SMPP brings": uvloop.run(
                bare(broker.bootstrap, messages)
            ),
            "deliver_sm, each acknowledged, from a sender of prepared octets": uvloop.run(
                by_prepared_octets(home, broker.bootstrap, messages)
            ),
            "deliver_sm, each acknowledged, from smpp34's server": asyncio.run(
                by_smpp34(home, broker.bootstrap, messages)
            ),
        }
    finally:
        broker.stop()
    reference = next(iter(found.values())).rate
    return [(what, in_words(figures, reference)) for what, figures in found.items()]


def in_words(figures: Figures, reference: float) -> str:
    share = figures.rate / reference
    each = 1e6 * figures.receiver_seconds / figures.messages
    busy = figures.receiver_seconds / figures.seconds
    driver = figures.driver_seconds / figures.seconds
    return (
        f"{figures.rate:,.0f}/s ({share:.2f} of bare), {each:.0f} µs of processor time each,"
        f" {busy:.0%} of a core" + (f"; its sender {driver:.0%}" if share != 1 else "")
    )
