"""A deliver_sm from the socket to the report, sent again after its bind broke."""

from __future__ import annotations

import asyncio

import pytest

from pipeline.wire.smpp.pdu import Status
from tests.ingest.smpp.process import smpp_process
from tests.ingest.smpp.smsc import Smsc, with_sequence
from tests.support.rented_numbers import ANN, API_ID
from tests.wire.smpp.test_callback import pdu_of

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


@pytest.mark.parametrize("broken_by", ["the network", "kill -9"])
async def test_one_deliver_sm_sent_again_after_the_bind_broke_is_one_message(
    outside, handset, tmp_path, broken_by
):
    """Kafka has it and its effect is seen. The gateway read no answer and delivers it again."""
    again, after = (
        pdu_of(text, source=handset, destination=ANN) for text in (b"Maybe", b"after it")
    )
    smsc = Smsc()
    server = await asyncio.start_server(smsc.connected, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    kafka, home = outside.running.stack.kafka, outside.running.home
    try:
        with smpp_process(tmp_path, kafka, port, home=home) as process:
            session = await smsc.bound()
            session.writer.write(with_sequence(again, 1))
            await asyncio.to_thread(outside.rows, "mo_message", handset)
            if broken_by == "kill -9":
                process.kill()
            session.writer.transport.abort()
            if broken_by == "the network":
                await deliver(await smsc.bound(), again, after)
                smsc.end()
        if broken_by == "kill -9":
            with smpp_process(tmp_path, kafka, port, home=home):
                await deliver(await smsc.bound(), again, after)
                smsc.end()
    finally:
        smsc.end()
        server.close()
        await server.wait_closed()
    rows = await asyncio.to_thread(outside.rows, "mo_message", handset, at_least=2, order="text")
    told = [(row["text"], row["source"], row["api_id"], row["flags"]) for row in rows]
    assert told == [("Maybe", "smpp", API_ID, []), ("after it", "smpp", API_ID, [])]


async def deliver(session, *pdus: bytes) -> None:
    """Deliver the messages in sequence; each is answered OK."""
    for sequence, pdu in enumerate(pdus, 1):
        assert await session.deliver(pdu, sequence=sequence) == Status.OK
