"""A page of another site cannot send by the stand-in, though it knows the demo's password."""

import asyncio
import contextlib

import httpx
import pytest

from pipeline.gateway.settings import API_IDS
from pipeline.gateway.world import EventKind
from tests.gateway.ways import HANDSET, of_kind

LOGIN = {"user": "demo", "password": "stand-in", "to": HANDSET, "text": "Hi"}
XML = (
    "<clickAPI><sendMsg><api_id>10002</api_id><user>demo</user><password>stand-in</password>"
    f"<to>{HANDSET}</to><text>Hi</text></sendMsg></clickAPI>"
)
SOAP = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><sendmsg>'
    "<api_id>10003</api_id><user>demo</user><password>stand-in</password>"
    f"<to>{HANDSET}</to><text>Hi</text></sendmsg></e:Body></e:Envelope>"
)
ASKED = {
    "GET": ("GET", "/http/sendmsg", {"params": LOGIN | {"api_id": API_IDS["http"]}}),
    "POST": ("POST", "/http/sendmsg.php", {"data": LOGIN | {"api_id": API_IDS["http"]}}),
    "XML": ("POST", "/xml/xml", {"data": {"data": XML}}),
    "SOAP": ("POST", "/soap/webservice.php", {"content": SOAP}),
}
OTHERS = {
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another name of the site": {"Sec-Fetch-Site": "same-site"},
    "an origin": {"Origin": "http://evil.example"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "an origin of a file": {"Origin": "null"},
    "a name that points here": {"Host": "rebinding.example"},
}


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
@pytest.mark.parametrize("headers", OTHERS.values(), ids=OTHERS)
async def test_a_page_elsewhere_sends_nothing(play, asked, headers):
    method, path, rest = asked
    async with play() as played:
        base = f"http://127.0.0.1:{played.gateway.http.port}"
        async with httpx.AsyncClient(base_url=base) as client:
            answer = await client.request(method, path, headers=headers, **rest)
            assert answer.status_code == 403
            assert not played.gateway.world.events
            answer = await client.request(method, path, **rest)
            assert answer.status_code == 200
            assert len(of_kind(played.gateway, EventKind.SUBMITTED)) == 1


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/_/faults"),
        ("PUT", "/_/faults"),
        ("PUT", "/_/faults/html"),
        ("POST", "/_/text"),
        ("GET", "/utils/routeCoverage"),
        ("GET", "/soap/webservice.php"),
        ("GET", "/nowhere"),
    ],
)
async def test_nothing_at_all_is_answered_to_it(play, method, path):
    async with play() as played:
        base = f"http://127.0.0.1:{played.gateway.http.port}"
        async with httpx.AsyncClient(base_url=base) as client:
            for headers in OTHERS.values():
                answer = await client.request(method, path, content="on", headers=headers)
                assert answer.status_code == 403


async def test_a_name_that_is_known_may_be_called(play):
    async with play(host_names=("gateway",)) as played:
        base = f"http://127.0.0.1:{played.gateway.http.port}"
        async with httpx.AsyncClient(base_url=base) as client:
            headers = {"Host": "gateway:8090"}
            answer = await client.get("/http/ping?session_id=x", headers=headers)
            assert answer.text == "ERR: 003, Session ID expired"


@pytest.mark.parametrize("way", ["smtp", "ftp", "smpp"])
@pytest.mark.parametrize("verb", ["POST", "GET", "OPTIONS", "PUT"])
async def test_commands_in_the_body_of_a_form_are_not_obeyed(play, way, verb):
    """A page can have the browser send any text to any port; the first line ends the connection."""
    commands = (
        b"EHLO x\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n\r\n"
        b"api_id:10005\r\nuser:demo\r\npassword:stand-in\r\nto:447700900001\r\ntext:Hi\r\n.\r\n"
        b"USER 10006\r\nPASS stand-in\r\nMKD evil\r\n"
    )
    head = f"{verb} / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\n\r\n".encode()
    async with play() as played:
        _, _, port = played.gateway.urls[way].rpartition(":")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(head + commands)
        async with asyncio.timeout(5):
            with contextlib.suppress(ConnectionError):
                await reader.read()
        writer.close()
        assert not played.gateway.world.events
        assert not (played.gateway.ftp.folder / "evil").exists()
