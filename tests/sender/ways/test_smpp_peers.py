"""The way by SMPP to a gateway of others: smpp34's server, in Rust."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import smpp34

from pipeline.cli.local.ports import free_port
from pipeline.records import Outcome
from pipeline.sender.apis.api import WayName
from pipeline.sender.ways.smpp.way import SmppWay
from tests.ingest.smpp.smsc import PATIENCE_SECONDS
from tests.sender.ways.apis import always, api_of, submission_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[SmppWay, smpp34.Server]]:
    port = free_port()
    server = smpp34.Server("127.0.0.1", port)
    await server.start()
    way = SmppWay(api_of(WayName.SMPP, port))
    try:
        yield way, server
    finally:
        await way.close()
        await server.stop()


async def test_texts_arrive_whole_and_once() -> None:
    texts = ["Simple Message", "x" * 400, "ΩΨΘ", "ê" * 100]
    seen: list[smpp34.SubmitSmEvent] = []
    async with serving() as (way, server), asyncio.timeout(PATIENCE_SECONDS):
        taking = asyncio.create_task(take(server, seen, count=1 + 3 + 1 + 2))
        answers = [await way.submit(submission_of(text), always) for text in texts]
        await taking
    assert [len(each) for each in answers] == [1, 3, 1, 2]
    assert {a.outcome for each in answers for a in each} == {Outcome.SUBMITTED}
    ids = [identity for each in answers for a in each for identity in a.gateway_message_ids]
    assert ids == [f"id-{number}" for number in range(7)]
    assert [submit.short_message for submit in seen[:1]] == [b"Simple Message"]
    assert b"".join(submit.short_message[6:] for submit in seen[1:4]) == b"x" * 400
    assert seen[4].short_message == bytes((0x15, 0x17, 0x19))
    ucs2 = b"".join(submit.short_message[6:] for submit in seen[5:])
    assert ucs2.decode("utf-16-be") == "ê" * 100
    assert {submit.destination_addr for submit in seen} == {"447700900123"}


async def take(server: smpp34.Server, seen: list[smpp34.SubmitSmEvent], *, count: int) -> None:
    """Answer the submissions of every bind."""
    while len(seen) < count:
        event = await server.next()
        if isinstance(event, smpp34.SubmitSmEvent):
            event.accept(f"id-{len(seen)}")
            seen.append(event)
