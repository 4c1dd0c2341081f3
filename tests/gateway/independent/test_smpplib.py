"""smpplib sends and receives as transceiver, with parts that it makes by itself."""

import asyncio

from pipeline.gateway.settings import API_IDS, MoWay
from pipeline.gateway.world import EventKind
from tests.gateway.independent.tools import module
from tests.gateway.ways import HANDSET, NUMBER, of_kind

RECEIPT = {"registered_delivery": 1}


def bound(played):
    client = module("smpplib.client", "smpplib")
    port = played.gateway.smpp.port
    esme = client.Client("127.0.0.1", port, timeout=5, allow_unknown_opt_params=True)
    esme.connect()
    password = played.gateway.settings.password
    esme.bind_transceiver(system_id="demo", password=password, system_type=API_IDS["smpp"])
    return esme


async def test_it_binds_submits_and_receives(play):
    async with play(mo_way=MoWay.SMPP) as played:
        esme = await asyncio.to_thread(bound, played)
        received = []
        esme.set_message_received_handler(lambda pdu: received.append(pdu) or None)

        def begin():
            to = {"source_addr": NUMBER, "destination_addr": HANDSET}
            esme.send_message(**to, short_message=b"From smpplib", **RECEIPT)
            while not received:
                esme.read_once()

        await asyncio.to_thread(begin)
        (event,) = of_kind(played.gateway, EventKind.SUBMITTED)
        assert event.text == "From smpplib"
        assert received[0].receipted_message_id.strip(b"\0").decode() == event.message_id
        reading = asyncio.create_task(asyncio.to_thread(lambda: esme.read_once()))
        await played.gateway.text(HANDSET, NUMBER, "Hello 👋")
        await reading
        assert received[1].short_message.decode("utf-16-be") == "Hello 👋"
        (handed,) = of_kind(played.gateway, EventKind.HANDED_OVER)
        assert handed.facts["answer"] == 200
        await asyncio.to_thread(esme.disconnect)


async def test_its_own_parts_are_one_text(play):
    gsm = module("smpplib.gsm", "smpplib")
    text = "€ and Ω, " * 20
    async with play() as played:
        esme = await asyncio.to_thread(bound, played)
        parts, coding, kind = gsm.make_parts(text)

        def send():
            for part in parts:
                to = {"source_addr": NUMBER, "destination_addr": HANDSET}
                given = {"short_message": part, "data_coding": coding, "esm_class": kind}
                esme.send_message(**to, **given)
                esme.read_once()
            esme.unbind()
            esme.disconnect()

        await asyncio.to_thread(send)
        events = of_kind(played.gateway, EventKind.SUBMITTED)
        assert len(events) == len(parts) == 2
        assert "".join(event.text for event in events) == text
