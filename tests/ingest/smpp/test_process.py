"""The receiver's process is killed under traffic, with smpp34's server and a real Kafka."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pipeline.avro.single_object import decode
from pipeline.cli.local.ports import free_port
from tests.ingest.smpp.process import (
    PATIENCE_SECONDS,
    WINDOW,
    Gateway,
    messages_of,
    raw_count,
    read_raw,
    smpp_process,
)
from tests.ingest.smpp.smsc import SECRET, Smsc, with_sequence
from tests.wire.smpp.test_callback import pdu_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.broker

MESSAGES = 10_000
UNREAD = 1_000
KILLS = (1_000, 4_000, 7_000)


async def test_kill_9_in_the_middle_loses_nothing_and_doubles_nothing(
    kafka: str, tmp_path: Path
) -> None:
    gateway = Gateway(messages=MESSAGES, marks=KILLS)
    port = free_port()
    async with gateway.listening(port) as serving:
        for count in KILLS:
            with smpp_process(tmp_path, kafka, port) as process:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await gateway.passed[count].wait()
                process.kill()  # with deliver_sm under way
                await asyncio.to_thread(process.wait)
        with smpp_process(tmp_path, kafka, port):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await serving
    assert gateway.sent >= MESSAGES + len(KILLS)  # something was under way and sent again
    messages = await messages_of(kafka, gateway.run)
    assert Counter((message.handset, message.text) for message in messages) == gateway.texts
    assert len({message.message_id for message in messages}) == MESSAGES
    said = (tmp_path / "smpp.log").read_text()
    assert SECRET not in said
    assert "defect" not in said


async def test_what_kafka_has_and_the_gateway_has_no_answer_to_has_one_effect(
    kafka: str, tmp_path: Path
) -> None:
    """Half of the answers are unread when the process is killed; those messages are sent again."""
    gateway = Gateway(messages=UNREAD)
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
        smsc.end()
        server.close()
        await server.wait_closed()
    found = await read_raw(kafka, gateway.run)
    deliveries = [value for records in found.values() for _, _, value in records]
    assert sum(decode(value).delivery > 0 for value in deliveries) >= UNREAD + len(rest)
    messages = await messages_of(kafka, gateway.run)
    assert Counter((message.handset, message.text) for message in messages) == gateway.texts
