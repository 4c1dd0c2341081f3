"""Kannel sends and receives by its Clickatell module and its SMPP client."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from pipeline.cli.local.ports import LOOPBACK, free_port
from pipeline.gateway.settings import API_IDS, MoWay
from pipeline.gateway.world import EventKind
from tests.gateway.independent.kannel import kannel
from tests.gateway.independent.tools import PATIENCE_SECONDS
from tests.gateway.ways import HANDSET, NUMBER, of_kind

BY_HTTP = """
group = smsc
smsc = http
smsc-id = clickatell
system-type = clickatell
smsc-username = demo
smsc-password = stand-in
system-id = {api_id}
port = {port}
send-url = "{url}"
"""
BY_SMPP = """
group = smsc
smsc = smpp
smsc-id = clickatell
host = 127.0.0.1
port = {port}
transceiver-mode = true
smsc-username = demo
smsc-password = stand-in
system-type = "{api_id}"
"""
TEXTS = ["Hello from Kannel", "Käse: 5 £ [ok]", "x" * 200]
BOTH = pytest.mark.parametrize("way", ["http", "smpp"])


@asynccontextmanager
async def beside_kannel(play, folder, way):
    """The stand-in hands over to Kannel: at Kannel's port, or to the ESME that is bound."""
    port = free_port()
    mo_way = MoWay.SMPP if way == "smpp" else MoWay.HTTP_GET
    async with play(mo_way=mo_way, product=f"http://{LOOPBACK}:{port}") as played:
        gateway, api_id = played.gateway, API_IDS[way]
        smsc = (
            BY_SMPP.format(port=gateway.smpp.port, api_id=api_id)
            if way == "smpp"
            else BY_HTTP.format(url=gateway.urls["http"], port=port, api_id=api_id)
        )
        async with kannel(folder, smsc) as outside:
            yield gateway, outside


async def until(condition):
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is awaited is in another process
            await asyncio.sleep(0.02)


@BOTH
@pytest.mark.parametrize("text", [*TEXTS, "Привет 👋"], ids=len)
async def test_it_sends_and_hears_what_became_of_it(play, tmp_path, way, text):
    async with beside_kannel(play, tmp_path, way) as (gateway, outside):
        coding = "0" if text in TEXTS else "2"
        await outside.send(text, to=HANDSET, **{"from": NUMBER, "coding": coding})
        await until(lambda: any(told["kind"] == "1" for told in outside.of("/dlr")))
        shown = of_kind(gateway, EventKind.SHOWN)
        await until(lambda: len(of_kind(gateway, EventKind.SHOWN)) == (2 if len(text) > 160 else 1))
        shown = of_kind(gateway, EventKind.SHOWN)
        assert "".join(event.text for event in shown) == text
        assert {(event.sender_id, event.handset) for event in shown} == {(NUMBER, HANDSET)}


@BOTH
@pytest.mark.parametrize("text", ["Hello", "Käse & <Brot>", "Hello 👋", "y" * 200], ids=len)
async def test_it_takes_what_a_handset_sends(play, tmp_path, way, text):
    async with beside_kannel(play, tmp_path, way) as (gateway, outside):
        await gateway.text(HANDSET, NUMBER, text)
        parts = 2 if len(text) > 160 and way == "http" else 1  # by SMPP Kannel joins the parts
        await until(lambda: len(outside.of("/mo")) == parts)
        told = outside.of("/mo")
        plus = "+" if way == "smpp" else ""  # Kannel writes one before an international number
        assert {(each["from"], each["to"]) for each in told} == {(plus + HANDSET, plus + NUMBER)}
        codec = {"UTF-16BE": "utf-16-be", "UTF-8": "utf-8"}
        octets = [(each["text"].encode("latin-1"), each["charset"]) for each in told]
        texts = [piece.decode(codec.get(charset, "latin-1")) for piece, charset in octets]
        assert "".join(texts) == text
        codes = {event.facts["answer"] for event in of_kind(gateway, EventKind.HANDED_OVER)}
        assert codes == {200}


async def test_it_hears_of_a_message_that_is_not_taken(play, tmp_path):
    async with beside_kannel(play, tmp_path, "http") as (gateway, outside):
        await outside.send("No", to="279991000105", **{"from": NUMBER})
        await until(lambda: any(told["kind"] == "16" for told in outside.of("/dlr")))
        assert not of_kind(gateway, EventKind.SHOWN)
