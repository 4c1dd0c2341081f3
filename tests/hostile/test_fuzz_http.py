"""Mutated requests get an answer or a close from the reader and the service, never a failure."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import h11
import pytest

from ingest.http.http1.head import BadRequest
from ingest.http.http1.parser import RequestReader
from pipeline.records import Rejected
from pipeline.wire import http_form, soap, xml
from pipeline.wire.callback import MoCallback
from pipeline.wire.status import StatusReport
from pipeline.wire.status import http as status_http
from pipeline.wire.status import soap as status_soap
from pipeline.wire.status import xml as status_xml
from tests.hostile.scale import SCALE, dice_for
from tests.ingest.http.support import running
from tests.support.guide_samples import GUIDE_SOAP, GUIDE_XML

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

FORM = b"from=1&to=2&text=%D8%3D&charset=UTF-16BE&udh=050003010201&moMsgId=7"
STATUS = b"to=1&status=004&apiMsgId=a&cliMsgId=b&timestamp=1218007814&charge=0.33"
STATUS_XML = b"<callback><apiMsgId>a</apiMsgId><to>1</to><status>4</status></callback>"
STATUS_SOAP = b"<E:Envelope><E:Body><t:mt_callback>%b</t:mt_callback></E:Body></E:Envelope>" % (
    b"<apimsgid>a</apimsgid><to>1</to><status>4</status>"
)
PARTS = b'--x\r\nContent-Disposition: form-data; name="from"\r\n\r\n1\r\n--x--\r\n'
HOST = b"Host: 127.0.0.1\r\n"
SEEDS = [
    b"GET /mo/http?" + FORM + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    b"POST /mo/http HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(FORM) + FORM,
    b"POST /mo/xml HTTP/1.1\r\n"
    + HOST
    + b"Content-Length: %d\r\n\r\n" % len(GUIDE_XML)
    + GUIDE_XML,
    b"POST /mt HTTP/1.1\r\n" + HOST + b'Content-Length: 21\r\n\r\n{"to": "1", "text":1}',
    b"POST /mo/http HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
    b"4;a=b\r\nfrom\r\n3\r\n=1&\r\n0\r\nA: b\r\n\r\n",
    b"GET /status/http?" + STATUS + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    *(
        b"POST /status/%b HTTP/1.1\r\n%bContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%b"
        % (name, HOST, len(body), body)
        for name, body in ((b"xml", STATUS_XML), (b"soap", STATUS_SOAP))
    ),
    b"GET /mt/an-id HTTP/1.1\r\n" + HOST + b"\r\n",
]
PIECES = [b" ", b"\t", b"\r\n", b"\n", b"\x00", b":", b",", b";", b"&", b"=", b"%", b"<", b"\xff"]
PIECES += [
    b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Host: a\r\n",
    b"0",
    b"--x",
]
CALLBACKS = [FORM, GUIDE_XML, GUIDE_SOAP, PARTS, STATUS, STATUS_XML, STATUS_SOAP]
ROUNDS = 3_000 * SCALE
CALLS = 400 * SCALE


def mutated(octets: bytes, chance: random.Random) -> bytes:
    changed = bytearray(octets)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(changed) + 1)
        to = min(len(changed), at + chance.choice([0, 0, 1, 1, 8]))
        changed[at:to] = chance.choice(PIECES) * chance.choice([1, 1, 1, 2, 30])
    return bytes(changed)


def ours(octets: bytes) -> tuple[bytes, bytes, bytes] | None:
    reader = RequestReader(body_limit=65_536)
    reader.feed(octets)
    with suppress(BadRequest):
        head = reader.read_head()
        body = reader.read_body() if head else None
        if head and body is not None:
            return head.method.encode(), head.target, body
    return None


def of_h11(octets: bytes) -> tuple[bytes, bytes, bytes] | None:
    server = h11.Connection(our_role=h11.SERVER)
    server.receive_data(octets)
    request, body = None, b""
    with suppress(h11.RemoteProtocolError):
        while True:
            match server.next_event():
                case h11.Request() as request:
                    pass
                case h11.Data() as data:
                    body += bytes(data.data)
                case h11.EndOfMessage():
                    return request and (bytes(request.method), bytes(request.target), body)
                case _:
                    return None
    return None


@pytest.mark.parametrize("seed", range(len(SEEDS)))
def test_where_h11_reads_a_request_too_it_reads_the_same(
    seed: int, record_property: Callable[[str, object], None]
) -> None:
    record_property("tried", ROUNDS)
    chance = dice_for(f"request {seed}")
    for _ in range(ROUNDS):
        octets = mutated(SEEDS[seed], chance)
        mine, other = ours(octets), of_h11(octets)
        assert mine is None or other is None or mine == other, octets


@pytest.mark.parametrize(
    "way",
    [http_form, xml, soap, status_http, status_xml, status_soap],
    ids=["http", "xml", "soap", "status-http", "status-xml", "status-soap"],
)
def test_a_mutated_callback_gives_a_value(
    way: object, record_property: Callable[[str, object], None]
) -> None:
    record_property("tried", ROUNDS)
    chance = dice_for("callback")
    for _ in range(ROUNDS):
        octets = mutated(chance.choice(CALLBACKS), chance)
        kind = chance.choice(["", "text/xml", "multipart/form-data; boundary=x"])
        found = way.parse(query=b"", body=octets, content_type=kind)  # type: ignore[attr-defined]
        assert found is None or isinstance(found, MoCallback | StatusReport | Rejected)


async def test_the_service_answers_or_closes(
    record_property: Callable[[str, object], None],
) -> None:
    record_property("tried", CALLS)
    chance = dice_for("service")
    async with running() as ingest:
        for _ in range(CALLS):
            reader, writer = await asyncio.open_connection("127.0.0.1", ingest.port)
            writer.write(mutated(chance.choice(SEEDS), chance))
            writer.write_eof()
            async with asyncio.timeout(5):
                answered = await reader.read()
            writer.close()
            assert not answered or answered.startswith(b"HTTP/1.1 ")
            assert not answered.startswith(b"HTTP/1.1 500")
        assert ingest.sample("twoway_ingest_failures_total") == 0
