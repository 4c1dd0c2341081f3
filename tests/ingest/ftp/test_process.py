"""The poller's process is killed during 10,000 lines, with a real server and a real Kafka."""

from __future__ import annotations

import asyncio
from collections import Counter
from secrets import token_hex
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from pipeline.avro.single_object import decode
from pipeline.kafka.topics import MO_RAW
from pipeline.records import MoRaw
from pipeline.wire.callback import MoCallback
from pipeline.wire.mo_log import render
from tests.ingest.ftp.peer import PASSWORD, serving
from tests.ingest.ftp.process import ftp_process, position_in
from tests.ingest.smpp.process import PATIENCE_SECONDS, messages_of_agent, read_raw

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.broker

LINES = 10_000
KILLED_AT = (0, 3_000, 6_000)
LOOK_SECONDS = 0.01  # the kill comes while lines are on their way


def text_of(number: int) -> str:
    return f"message {number}, and it is as long as messages are"


def line_of(run: str, number: int) -> bytes:
    """A line; one in ten has no moMsgId and no readable time, so only its record identifies it."""
    is_bare = number % 10 == 0
    return render(
        MoCallback(
            handset=f"{run}{number % 500:03d}",
            number="447700900123",
            octets=text_of(number).encode(),
            timestamp="" if is_bare else f"2026-03-29 12:{number // 600:02d}:{number % 60:02d}",
            mo_msg_id="" if is_bare else f"{run}{number:08d}",
        )
    )


class Progress:
    """How far the poller is, according to Kafka and according to its checkpoint."""

    def __init__(self, consumer: AIOKafkaConsumer, checkpoint: Path, octets: bytes) -> None:
        self._consumer = consumer
        self._checkpoint = checkpoint
        self._octets = octets
        self._before = 0
        self._partitions: list[TopicPartition] = []

    async def begin(self) -> None:
        """Note what Kafka has now: these records are not of this test."""
        numbers = (await self._consumer._client.fetch_all_metadata()).partitions_for_topic(MO_RAW)
        self._partitions = [TopicPartition(MO_RAW, number) for number in numbers or ()]
        self._before = await self._end()

    async def _end(self) -> int:
        return sum((await self._consumer.end_offsets(self._partitions)).values())

    @property
    def acknowledged(self) -> int:
        """How many lines are in Kafka according to the checkpoint."""
        return self._octets[: position_in(self._checkpoint)].count(b"\n")

    async def has_more_than_noted(self, lines: int) -> None:
        """Return when Kafka has this many lines and more than the checkpoint knows."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            has = 0
            while has <= max(lines, self.acknowledged):
                await asyncio.sleep(LOOK_SECONDS)
                has = await self._end() - self._before

    async def has_acknowledged(self, lines: int) -> None:
        """Return when the checkpoint knows that this many lines are in Kafka."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while self.acknowledged < lines:  # noqa: ASYNC110 - another process says when
                await asyncio.sleep(0.02)


async def test_kill_9_in_the_middle_loses_nothing_and_doubles_nothing(
    kafka: str, tmp_path: Path
) -> None:
    home, run = tmp_path / "home", f"447{int(token_hex(3), 16):08d}"
    home.mkdir()
    lines = [line_of(run, number) for number in range(LINES)]
    octets = b"".join(line + b"\r\n" for line in lines)
    async with AIOKafkaConsumer(bootstrap_servers=kafka) as consumer:
        progress = Progress(consumer, home / "ftp" / "checkpoint", octets)
        await progress.begin()
        with serving(tmp_path / "files", sent_a_second=len(octets) // 3) as peer:
            (peer.folder / "mo.log").write_bytes(octets)
            for count in KILLED_AT:
                with ftp_process(peer.settings(home), kafka) as process:
                    await progress.has_more_than_noted(count)
                    process.kill()
                    await asyncio.to_thread(process.wait)
            assert progress.acknowledged < LINES
            with ftp_process(peer.settings(home), kafka):
                await progress.has_acknowledged(LINES)
    found = await read_raw(kafka, run)
    values = [value for records in found.values() for _, _, value in records]
    raws = [decode(value) for value in values]
    assert {raw.octets for raw in raws if isinstance(raw, MoRaw)} == set(lines)
    assert len(values) > LINES  # what was on its way was published again
    assert len(set(values)) == LINES  # as the same records, octet for octet
    messages = [m for number, records in found.items() for m in messages_of_agent(number, records)]
    assert Counter(each.text for each in messages) == Counter(map(text_of, range(LINES)))
    assert len({message.message_id for message in messages}) == LINES
    said = (home / "ftp.log").read_text()
    assert PASSWORD not in said
    assert run not in said
