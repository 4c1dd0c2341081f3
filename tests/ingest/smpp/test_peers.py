"""Gateways of others: smpp34's server, in Rust, and Kannel's `drive_smpp`, in C."""

from __future__ import annotations

import asyncio
import socket
import subprocess
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import smpp34

from ingest.smpp.process import Receiver
from pipeline.cli.local.ports import free_port
from pipeline.kafka.topics import MO_RAW
from pipeline.records import MoRaw
from tests.ingest.http.support import FakePublisher
from tests.ingest.smpp.smsc import PATIENCE_SECONDS, settings_for, until
from tests.support.mo import HANDSET, NUMBER
from tests.wire.smpp.test_callback import messages_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

DRIVE_SMPP = Path("/usr/lib/kannel/test/drive_smpp")
SMSBOX_PORT = 13001  # drive_smpp calls it, whatever its configuration says
UDHI = 0x40


@asynccontextmanager
async def bound_to(port: int, home: Path, **given: Any) -> AsyncIterator[FakePublisher]:
    """A receiver that is bound to the server at this port; unbound in order at the end."""
    publisher, ended = FakePublisher(), asyncio.Event()
    receiver = Receiver(settings_for(home, port, **given), publisher=publisher)
    running = asyncio.create_task(receiver.run(ended))
    try:
        yield publisher
    finally:
        ended.set()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await running


@contextmanager
def drive_smpp(port: int, log: Path, *, messages: int) -> Iterator[None]:
    """Kannel's SMSC, which listens soon. It ends unless somebody listens as its smsbox."""
    words = [str(DRIVE_SMPP), "-p", str(port), "-m", str(messages), "-v", "4", "-l", str(log)]
    with (
        socket.create_server(("127.0.0.1", SMSBOX_PORT)),
        subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as peer,
    ):
        try:
            yield
        finally:
            peer.kill()


def delivered(publisher: FakePublisher) -> list[MoRaw]:
    found = [record for record in publisher.of(MO_RAW) if isinstance(record, MoRaw)]
    return [raw for raw in found if raw.delivery]


def part(text: bytes, **fields: Any) -> dict[str, Any]:
    return {"short_message": text, **fields}


def tlvs(*pairs: tuple[int, bytes]) -> list[smpp34.Tlv]:
    return [smpp34.Tlv(tag, value) for tag, value in pairs]


def sar(number: int) -> list[smpp34.Tlv]:
    return tlvs(
        (smpp34.TLV_SAR_MSG_REF_NUM, b"\x12\x34"),
        (smpp34.TLV_SAR_TOTAL_SEGMENTS, b"\2"),
        (smpp34.TLV_SAR_SEGMENT_SEQNUM, bytes([number])),
    )


@pytest.mark.parametrize(
    ("parts", "text"),
    [
        pytest.param([part(b"Hi \x00 you")], "Hi @ you", id="gsm-7"),
        pytest.param([part("Zażółć".encode("utf-16-be"), data_coding=8)], "Zażółć", id="ucs-2"),
        pytest.param(
            [
                part(bytes.fromhex("050003380202") + b"b", esm_class=UDHI),
                part(bytes.fromhex("050003380201") + b"a", esm_class=UDHI),
            ],
            "ab",
            id="parts-by-header",
        ),
        pytest.param([part(b"a", tlvs=sar(1)), part(b"b", tlvs=sar(2))], "ab", id="parts-by-sar"),
        pytest.param(
            [part(b"", tlvs=tlvs((smpp34.TLV_MESSAGE_PAYLOAD, b"x" * 700)))],
            "x" * 700,
            id="message-payload",
        ),
        pytest.param([part(b"a", tlvs=tlvs((0x1454, b"?")))], "a", id="parameter-nobody-knows"),
    ],
)
async def test_what_smpp34_delivers_is_answered_and_read(
    tmp_path: Path, parts: list[dict[str, Any]], text: str
) -> None:
    port = free_port()
    server = smpp34.Server("127.0.0.1", port)
    await server.start()
    try:
        async with bound_to(port, tmp_path) as publisher, asyncio.timeout(PATIENCE_SECONDS):
            esme = await server.next()
            assert isinstance(esme, smpp34.Esme)
            assert esme.can_receive
            assert esme.system_id == "two"
            for fields in parts:
                answer = await esme.deliver_sm(NUMBER, source_addr=HANDSET, **fields)
                assert answer.is_success
    finally:
        await server.stop()
    (message,) = messages_of(*(raw.octets for raw in delivered(publisher)))
    assert (message.text, message.flags) == (text, [])


async def test_smpp34_is_told_to_send_again_what_kafka_has_not(tmp_path: Path) -> None:
    port = free_port()
    server = smpp34.Server("127.0.0.1", port)
    await server.start()
    try:
        async with bound_to(port, tmp_path) as publisher, asyncio.timeout(PATIENCE_SECONDS):
            esme = await server.next()
            publisher.acknowledges = False
            answer = await esme.deliver_sm(NUMBER, b"YES", source_addr=HANDSET)
            assert answer.command_status == 0x64  # ESME_RX_T_APPN (SMPP 3.4 5.1.3)
            publisher.acknowledges = True
            answer = await esme.deliver_sm(NUMBER, b"YES", source_addr=HANDSET)
            assert answer.is_success
    finally:
        await server.stop()
    assert len(delivered(publisher)) == 1


@pytest.mark.skipif(
    not DRIVE_SMPP.is_file(), reason="no drive_smpp: apt-get install kannel-extras (Debian)"
)
async def test_kannel_reads_an_answer_to_each_deliver_sm(tmp_path: Path) -> None:
    """It delivers 300 with an enquire_link after each, and logs every PDU that it could read."""
    port, log = free_port(), tmp_path / "drive_smpp.log"

    def said(words: str) -> int:
        return log.read_text().count(words) if log.is_file() else 0

    with drive_smpp(port, log, messages=300):
        async with bound_to(port, tmp_path, smpp_bind="receiver") as publisher:
            await until(lambda: said("of type deliver_sm_resp") == 300)
            await until(lambda: said("of type enquire_link_resp") == 300)
        await until(lambda: said("of type unbind\n") == 1)
    texts = [message.text for raw in delivered(publisher) for message in messages_of(raw.octets)]
    assert texts == [str(number) for number in range(1, 301)]
    for trouble in ("ERROR", "WARNING", "Unhandled"):
        assert said(trouble) == 0
