"""A broker goes away during a bind and comes back, and the gateway sends again."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from pipeline.cli.local.ports import free_port
from pipeline.kafka.admin import create_topics
from pipeline.settings import Settings
from pipeline.wire.smpp.pdu import Status
from tests.ingest.smpp.process import PATIENCE_SECONDS, Gateway, messages_of, smpp_process
from tests.ingest.smpp.smsc import until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipeline.cli.local.kafka import LocalKafka

pytestmark = pytest.mark.broker

MESSAGES = 2_000
KILL_AT = 500


async def test_what_kafka_does_not_take_is_asked_for_again_and_nothing_is_lost_or_doubled(
    kafka_factory: Callable[[], LocalKafka], tmp_path: Path
) -> None:
    """The receiver binds once Kafka is there. It answers ESME_RX_T_APPN while Kafka is away."""
    broker = kafka_factory()
    gateway = Gateway(messages=MESSAGES, marks=(KILL_AT,))
    port = free_port()
    async with gateway.listening(port) as serving:
        with smpp_process(tmp_path, broker.bootstrap, port):
            await until(lambda: "binding once Kafka answers" in said(tmp_path))
            assert gateway.sent == 0
            await asyncio.to_thread(broker.start)
            await asyncio.to_thread(create_topics, broker.bootstrap, Settings(partitions=4))
            async with asyncio.timeout(PATIENCE_SECONDS):
                await gateway.passed[KILL_AT].wait()
                await asyncio.to_thread(broker.kill)
                await gateway.asked_again.wait()
                await asyncio.to_thread(broker.start)
                await serving
    assert gateway.statuses[Status.OK] == MESSAGES
    assert gateway.statuses[Status.TRY_AGAIN] > 0
    assert set(gateway.statuses) == {Status.OK, Status.TRY_AGAIN}
    assert said(tmp_path).count("bound to") == 1
    messages = await messages_of(broker.bootstrap, gateway.run)
    assert Counter((message.handset, message.text) for message in messages) == gateway.texts
    assert len({message.message_id for message in messages}) == MESSAGES


def said(home: Path) -> str:
    """The lines that the receiver logged."""
    return (home / "smpp.log").read_text()
