"""The client `clickatell` on PyPI (by arcturial, a user of Clickatell) sends over HTTP."""

import asyncio

from pipeline.gateway.settings import API_IDS
from pipeline.gateway.world import EventKind
from tests.gateway.independent.tools import module
from tests.gateway.ways import HANDSET, NUMBER, of_kind, until

OTHER = "447700900002"


def client_of(played):
    http = module("clickatell.http", "clickatell==0.1.2")
    client = http.Http("demo", played.gateway.settings.password, API_IDS["http"])
    client.endpoint = f"127.0.0.1:{played.gateway.http.port}"
    return client


async def test_it_sends_and_asks(play):
    async with play() as played:
        client = client_of(played)
        extra = {"from": NUMBER, "callback": 0}
        sent = await asyncio.to_thread(client.sendMessage, [HANDSET, OTHER], "Hello & good", extra)
        events = of_kind(played.gateway, EventKind.SUBMITTED)
        assert [each["id"] for each in sent] == [event.message_id for event in events]
        assert [each["destination"] for each in sent] == [HANDSET, OTHER]
        assert {event.text for event in events} == {"Hello & good"}
        await until(lambda: len(of_kind(played.gateway, EventKind.SHOWN)) == 2)
        asked = await asyncio.to_thread(client.queryMessage, sent[0]["id"])
        assert (asked["status"], asked["charge"]) == ("004", 1.0)
        assert (await asyncio.to_thread(client.getBalance))["balance"] == 998.0
        covered = await asyncio.to_thread(client.routeCoverage, HANDSET)
        assert covered == {"routable": True, "destination": HANDSET, "charge": 1.0}


async def test_it_reads_a_refusal_beside_a_message_that_was_taken(play):
    async with play() as played:
        client = client_of(played)
        to = [HANDSET, "279991000105"]
        taken, refused = await asyncio.to_thread(client.sendMessage, to, "Hello")
        assert (taken["error"], taken["destination"]) == (False, HANDSET)
        assert (refused["id"], refused["destination"]) == (False, "279991000105")
        assert refused["error"].casefold() == "invalid destination address"
