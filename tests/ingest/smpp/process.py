"""The receiver's process, a gateway that keeps messages until they are answered OK, and results."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter, deque
from contextlib import asynccontextmanager, contextmanager
from secrets import token_hex
from types import SimpleNamespace
from typing import TYPE_CHECKING

import smpp34
from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.avro.single_object import decode
from pipeline.conversation.agent import Conversation
from pipeline.conversation.tables import TABLES
from pipeline.engine.state.state import Point, State
from pipeline.engine.unit_of_work import UnitOfWork
from pipeline.kafka.topics import MO_MESSAGE, MO_RAW
from pipeline.records import MoMessage
from pipeline.settings import Settings
from pipeline.wire.smpp.pdu import Status
from tests.ingest.smpp.smsc import SECRET
from tests.support.running import environment_without_settings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

PATIENCE_SECONDS = 60.0
AGAIN_SECONDS = 0.1  # a gateway that is told to send again does not do so at once
WINDOW = 100
NUMBER = "447700900123"


@contextmanager
def smpp_process(
    folder: Path, kafka: str, port: int, *, home: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """`twoway smpp` with its log in `folder`; ended in order, unless it has already ended."""
    given = {
        "home": str(home or folder),
        "kafka": kafka,
        "smpp_host": "127.0.0.1",
        "smpp_port": str(port),
        "smpp_system_id": "two",
        "smpp_password": SECRET,
        "smpp_tls": "off",
    }
    with (folder / "smpp.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "pipeline.cli.main", "smpp"],
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
    """smpp34's server, which keeps a message until it is answered OK, as a gateway does."""

    def __init__(self, *, messages: int, marks: tuple[int, ...] = ()) -> None:
        self.run = f"447{int(token_hex(3), 16):08d}"
        self.messages = messages
        self.waiting = deque(range(messages))
        self.answered = 0
        self.sent = 0
        self.statuses: Counter[int] = Counter()
        self.passed = {count: asyncio.Event() for count in marks}
        self.asked_again = asyncio.Event()

    def handset(self, number: int) -> str:
        return f"{self.run}{number % 500:03d}"

    @property
    def texts(self) -> Counter[tuple[str, str]]:
        """Handset and text of the messages that it keeps."""
        return Counter((self.handset(n), f"message {n}") for n in range(self.messages))

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[asyncio.Task[None]]:
        """Deliver to every bind; the task ends when every message is answered OK."""
        server = smpp34.Server("127.0.0.1", port)
        await server.start()
        serving = asyncio.create_task(self._serve(server))
        try:
            yield serving
        finally:
            serving.cancel()
            await asyncio.wait([serving])
            await server.stop()

    async def _serve(self, server: smpp34.Server) -> None:
        while self.answered < self.messages:
            async with asyncio.timeout(PATIENCE_SECONDS):
                bound = await server.next()
            if isinstance(bound, smpp34.Esme):
                await asyncio.gather(*(self._deliver(bound) for _ in range(WINDOW)))

    async def _deliver(self, bound: smpp34.Esme) -> None:
        """One place of the window: it sends its next message when the one before is answered."""
        while self.waiting:
            number = self.waiting.popleft()
            status = await self._one(bound, number)
            if status != Status.OK:
                self.waiting.append(number)
            if status is None:
                return
            if status == Status.TRY_AGAIN:
                self.asked_again.set()
                await asyncio.sleep(AGAIN_SECONDS)

    async def _one(self, bound: smpp34.Esme, number: int) -> int | None:
        """The status of the answer; None if the bind broke."""
        self.sent += 1
        text = f"message {number}".encode()
        try:
            answer = await bound.deliver_sm(NUMBER, text, source_addr=self.handset(number))
        except smpp34.SmppError:
            return None
        self.statuses[answer.command_status] += 1
        self.answered += answer.command_status == Status.OK
        if self.answered in self.passed:
            self.passed[self.answered].set()
        return int(answer.command_status)


async def read_raw(bootstrap: str, run: str) -> dict[int, list[tuple[int, bytes, bytes]]]:
    """Offset, key and value of this run's records in mo-raw, by partition."""
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
    """The messages that the agent makes from the records of a partition."""
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
        agent.process_record(work, record)
        for (topic, _), rows in work._outputs.rows.items():
            found += [decode(value) for _, value in rows if topic == MO_MESSAGE]
        state.apply(Point(state.point.sequence + 1, work.time, {}))
    return [message for message in found if isinstance(message, MoMessage)]


async def messages_of(bootstrap: str, run: str) -> list[MoMessage]:
    """The messages that the agent makes from the records of this run."""
    found = await read_raw(bootstrap, run)
    return [m for number, records in found.items() for m in messages_of_agent(number, records)]


async def raw_count(bootstrap: str, run: str, count: int) -> None:
    """Wait until Kafka has this many deliveries of the run."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await read_raw(bootstrap, run)
            values = [value for records in found.values() for _, _, value in records]
            if sum(decode(value).delivery > 0 for value in values) >= count:
                return
