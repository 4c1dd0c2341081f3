"""The receiver's process, a real gateway's stack (smpp34) or Kannel's, and a real Kafka."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from contextlib import contextmanager
from secrets import token_hex
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
import smpp34
from aiokafka import AIOKafkaConsumer, TopicPartition

from deploy.local.ports import free_port
from pipeline.agents.conversation import TABLES, Conversation
from pipeline.avro import decode
from pipeline.engine.state import Point, State
from pipeline.engine.unit_of_work import UnitOfWork
from pipeline.records import MoMessage
from pipeline.settings import Settings
from pipeline.topics import MO_MESSAGE, MO_RAW
from tests.running import environment_without_settings
from tests.smpp.smsc import SECRET, Smsc, with_sequence
from tests.smpp.test_callback import pdu_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.broker

PATIENCE_SECONDS = 60.0
MESSAGES = 3_000
WINDOW = 100
UNREAD = 1_000
KILLS = (700, 1_400, 2_100)
NUMBER = "447700900123"


@contextmanager
def smpp_process(home: Path, kafka: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`twoway smpp`; ended in order, unless it is gone already."""
    given = {
        "home": str(home),
        "kafka": kafka,
        "smpp_host": "127.0.0.1",
        "smpp_port": str(port),
        "smpp_system_id": "two",
        "smpp_password": SECRET,
        "smpp_tls": "off",
    }
    with (home / "smpp.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli", "smpp"],
            env=environment_without_settings(given),
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


class Gateway:
    """smpp34's server, and what a gateway does: it keeps a message until it was answered OK."""

    def __init__(self, run: str) -> None:
        self.run = run
        self.waiting = list(range(MESSAGES))
        self.answered = 0
        self.sent = 0
        self.passed = {count: asyncio.Event() for count in KILLS}

    def handset(self, number: int) -> str:
        return f"{self.run}{number % 500:03d}"

    async def serve(self, server: smpp34.Server) -> None:
        """Deliver to whoever binds until all is answered."""
        while self.answered < MESSAGES:
            async with asyncio.timeout(PATIENCE_SECONDS):
                bound = await server.next()
            if isinstance(bound, smpp34.Esme):
                await self._deliver(bound)

    async def _deliver(self, bound: smpp34.Esme) -> None:
        while self.waiting:
            some, self.waiting = self.waiting[:WINDOW], self.waiting[WINDOW:]
            found = await asyncio.gather(*(self._one(bound, number) for number in some))
            self.waiting = [n for n, ok in zip(some, found, strict=True) if not ok] + self.waiting
            if None in found:
                return

    async def _one(self, bound: smpp34.Esme, number: int) -> bool | None:
        """Whether it was answered OK; None when the bind broke."""
        self.sent += 1
        text = f"message {number}".encode()
        try:
            answer = await bound.deliver_sm(NUMBER, text, source_addr=self.handset(number))
        except smpp34.SmppError:
            return None
        self.answered += answer.is_success
        if self.answered in self.passed:
            self.passed[self.answered].set()
        return answer.is_success


async def read_raw(bootstrap: str, run: str) -> dict[int, list[tuple[int, bytes, bytes]]]:
    """Offset, key and value of the run's records in mo-raw, by partition."""
    found: dict[int, list[tuple[int, bytes, bytes]]] = {}
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    ) as consumer:
        numbers = (await consumer._client.fetch_all_metadata()).partitions_for_topic(MO_RAW)
        for partition in (TopicPartition(MO_RAW, number) for number in sorted(numbers or ())):
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            while await consumer.position(partition) < end:
                for records in (await consumer.getmany(partition, timeout_ms=500)).values():
                    found.setdefault(partition.partition, []).extend(
                        (record.offset, record.key, record.value)
                        for record in records
                        if record.key and record.key.startswith(run.encode())
                    )
    return found


def messages_of_agent(partition: int, records: list[tuple[int, bytes, bytes]]) -> list[MoMessage]:
    """What the agent makes of a partition's records."""
    agent = Conversation(partition=partition, settings=Settings(partitions=4))
    state, found = State(TABLES), []
    for offset, key, value in records:
        work = UnitOfWork(state=state, partition=partition, changelog="changelog")
        record = SimpleNamespace(
            topic=MO_RAW,
            partition=partition,
            offset=offset,
            timestamp=offset,
            key=key,
            value=value,
            headers=(),
        )
        agent.take(work, record)
        for (topic, _), rows in work._outputs.items():
            found += [decode(value) for _, value in rows if topic == MO_MESSAGE]
        state.apply(Point(state.point.sequence + 1, work.time, {}))
    return [message for message in found if isinstance(message, MoMessage)]


async def test_kill_9_in_the_middle_loses_nothing_and_doubles_nothing(
    kafka: str, tmp_path: Path
) -> None:
    gateway = Gateway(f"4479{int(token_hex(2), 16):05d}")
    port = free_port()
    server = smpp34.Server("127.0.0.1", port)
    await server.start()
    serving = asyncio.create_task(gateway.serve(server))
    try:
        for count in KILLS:
            with smpp_process(tmp_path, kafka, port) as process:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await gateway.passed[count].wait()
                process.kill()  # with deliver_sm under way
                await asyncio.to_thread(process.wait)
        with smpp_process(tmp_path, kafka, port):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await serving
    finally:
        serving.cancel()
        await asyncio.wait([serving])
        await server.stop()
    assert gateway.sent > MESSAGES  # something was under way and sent again
    by_partition = await read_raw(kafka, gateway.run)
    messages = [
        message
        for partition, records in by_partition.items()
        for message in messages_of_agent(partition, records)
    ]
    expected = Counter((gateway.handset(number), f"message {number}") for number in range(MESSAGES))
    assert Counter((message.handset, message.text) for message in messages) == expected
    said = (tmp_path / "smpp.log").read_text()
    assert SECRET not in said
    assert "defect" not in said


async def test_what_kafka_has_and_the_gateway_has_no_answer_to_has_one_effect(
    kafka: str, tmp_path: Path
) -> None:
    """Half the answers are unread when the process is killed: those are sent again."""
    gateway = Gateway(f"4478{int(token_hex(2), 16):05d}")
    pdus = [
        pdu_of(b"message %d" % number, source=gateway.handset(number)) for number in range(UNREAD)
    ]
    smsc = Smsc()
    server = await asyncio.start_server(smsc.connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        with smpp_process(tmp_path, kafka, port) as process:
            session = await smsc.bound()
            left = set(range(UNREAD))
            while len(left) > UNREAD // 2:
                left -= await session.deliver_some({n: pdus[n] for n in sorted(left)[:WINDOW]})
            rest = sorted(left)
            for number in rest:
                session.writer.write(with_sequence(pdus[number], number + 1))
            await session.writer.drain()
            await raw_count(kafka, gateway.run, UNREAD)
            process.kill()
            await asyncio.to_thread(process.wait)
        with smpp_process(tmp_path, kafka, port):
            session = await smsc.bound()
            while left:
                left -= await session.deliver_some({n: pdus[n] for n in sorted(left)[:WINDOW]})
    finally:
        for writer in smsc.writers:
            writer.transport.abort()
        server.close()
        await server.wait_closed()
    found = await read_raw(kafka, gateway.run)
    deliveries = [value for records in found.values() for _, _, value in records]
    assert sum(decode(value).delivery > 0 for value in deliveries) >= UNREAD + len(rest)
    messages = [m for number, records in found.items() for m in messages_of_agent(number, records)]
    expected = Counter((gateway.handset(n), f"message {n}") for n in range(UNREAD))
    assert Counter((message.handset, message.text) for message in messages) == expected


async def raw_count(bootstrap: str, run: str, count: int) -> None:
    """Returns when Kafka has that many deliveries of the run."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await read_raw(bootstrap, run)
            values = [value for records in found.values() for _, _, value in records]
            if sum(decode(value).delivery > 0 for value in values) >= count:
                return
