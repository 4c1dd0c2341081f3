"""The octets of one connection, cut at any place: the same answer and the same record."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from ingest.http.capacity import Capacity
from ingest.http.connection import Connection
from ingest.http.limits import Limits
from ingest.http.process import Ingest
from pipeline.records import DeadLetter, MoRaw, Record
from pipeline.settings import Settings
from tests.ingest.http.support import FakePublisher
from tests.support.guide_samples import GUIDE_SOAP, GUIDE_XML
from tests.support.mo import NOON

LIMIT = 1_200


class Wire(asyncio.Transport):
    """A transport that keeps the octets that are written to it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1)})
        self.written = b""
        self.answered = asyncio.Event()

    def write(self, octets: Any) -> None:
        self.written += octets
        self.answered.set()

    def is_closing(self) -> bool:
        return False

    def can_write_eof(self) -> bool:
        return False

    def pause_reading(self) -> None:
        """Do nothing: this transport reads nothing."""

    def resume_reading(self) -> None:
        """Do nothing: this transport reads nothing."""


async def answered(*pieces: bytes) -> tuple[list[bytes], list[Record]]:
    """The answer without its date, and the published records without times and random ids."""
    publisher = FakePublisher()
    service = Ingest(Settings(http_port=0), publisher=publisher).service
    connection, wire = Connection(service, Capacity(Limits(body_octets=LIMIT))), Wire()
    connection.connection_made(wire)
    for piece in pieces:
        connection.data_received(piece)
    async with asyncio.timeout(10):
        await wire.answered.wait()
    lines = [line for line in wire.written.split(b"\r\n") if not line.startswith(b"Date:")]
    return lines, [_without_chance(record) for _, _, record in publisher.published]


def _without_chance(record: Record) -> Record:
    if isinstance(record, MoRaw):
        return msgspec.structs.replace(record, received_at=NOON)
    assert isinstance(record, DeadLetter)
    return msgspec.structs.replace(record, dead_letter_id="", at=NOON)


def posted(path: str, body: bytes, kind: str = "application/x-www-form-urlencoded") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def chunked(path: str, body: bytes) -> bytes:
    chunks = b"".join(
        b"%x\r\n%b\r\n" % (len(body[at : at + 99]), body[at : at + 99])
        for at in range(0, len(body), 99)
    )
    return b"POST %b HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n%b0\r\nA: b\r\n\r\n" % (
        path.encode(),
        chunks,
    )


BARE_XML = GUIDE_XML.partition(b"=")[2]
FORM = b"to=2&from=%2B1&text=%D8%3D+%DE%00&charset=UTF-16BE&udh=050003010201&moMsgId=7"


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        pytest.param(b"GET /mo/http?%b HTTP/1.1\r\n\r\n" % FORM, 200, id="form-in-the-query"),
        pytest.param(posted("/mo/http", FORM), 200, id="form"),
        pytest.param(chunked("/mo/http", FORM), 200, id="form-in-chunks"),
        pytest.param(
            b"GET /mo/xml?%b HTTP/1.1\r\n\r\n" % GUIDE_XML.replace(b"\n", b" "),
            200,
            id="G8.3.4-in-the-query",
        ),
        pytest.param(posted("/mo/xml", GUIDE_XML), 200, id="G8.3.4"),
        pytest.param(
            posted("/mo/xml", BARE_XML.decode().encode("utf-16"), "text/xml"), 200, id="utf-16"
        ),
        pytest.param(chunked("/mo/soap", GUIDE_SOAP), 200, id="G8.3.5-in-chunks"),
        pytest.param(posted("/mo/http", b"from=1&to=2&text=%z"), 400, id="broken"),
        pytest.param(posted("/mo/xml", b"data=<!DOCTYPE a><clickmo/>"), 400, id="doctype"),
        pytest.param(posted("/mo/soap", b"<a b='" + b"c" * LIMIT), 400, id="too-long"),
        pytest.param(chunked("/mo/http", b"x" * LIMIT + FORM), 413, id="too-long-in-chunks"),
    ],
)
async def test_a_callback_cut_anywhere_is_the_same_callback(octets: bytes, status: int) -> None:
    expected = await answered(octets)
    assert expected[0][0].startswith(b"HTTP/1.1 %d " % status)
    assert len(expected[1]) == 1
    for cut in range(1, len(octets)):
        assert await answered(octets[:cut], octets[cut:]) == expected
    assert await answered(*(bytes([octet]) for octet in octets)) == expected
