"""The operations beside sendmsg, as the documents have them."""

import xml.etree.ElementTree as Tree
from datetime import timedelta
from urllib.parse import parse_qs

import httpx
import pytest

from pipeline.gateway.settings import API_IDS
from pipeline.gateway.world import EventKind
from pipeline.sender.apis.api import WayName
from tests.gateway.ways import HANDSET, NUMBER, always, of_kind, submission, until, way_to

LOGIN = {"api_id": API_IDS["http"], "user": "demo", "password": "stand-in"}
#: Minutes after each failure; the last is three days (Clickatell's overview of 2014).
STATUS_RETRIES = [2, 4, 8, 16, 32, 64, 128, 3 * 24 * 60]
#: The order of RPC sendmsg, off Clickatell's own Java and .NET proxies.
SENDMSG = (
    "session_id api_id user password to from text concat deliv_ack callback deliv_time max_credits"
    " req_feat queue escalate mo cliMsgId unicode msg_type udh data validity"
)
INTS = "api_id concat deliv_ack callback deliv_time req_feat queue escalate mo unicode validity"
OPERATIONS = {"auth", "ping", "sendmsg", "querymsg", "delmsg", "getbalance"} | {
    "getmsgcharge",
    "routeCoverage",
}
WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
SOAP = "{http://schemas.xmlsoap.org/wsdl/soap/}"


@pytest.fixture
def client(play):
    """A gateway and a client of its HTTP API."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def opened(**given):
        async with play(**given) as played:
            base = f"http://127.0.0.1:{played.gateway.http.port}"
            async with httpx.AsyncClient(base_url=base) as http:
                yield played.gateway, http

    return opened


async def test_a_status_is_pushed_again_as_the_document_says(play):
    async with play() as played, way_to(played.gateway, WayName.HTTP, callback=1) as way:
        played.product.status = 503
        await way.submit(submission(), always)
        await until(lambda: len(played.product.calls) == 1)
        clock = played.gateway.clock
        for number, minutes in enumerate(STATUS_RETRIES, 2):
            before = clock.offset() + timedelta(minutes=minutes)
            clock.set_offset(before - timedelta(seconds=30))
            played.gateway.schedule.run_due()
            assert len(played.product.calls) == number - 1
            clock.set_offset(before)
            await until(
                lambda number=number: len(of_kind(played.gateway, EventKind.STATUS)) == number
            )
        clock.set_offset(clock.offset() + timedelta(days=30))
        played.gateway.schedule.run_due()
        assert len(played.product.calls) == len(STATUS_RETRIES) + 1 == 9
        said = [parse_qs(query.decode()) for _, query, _ in played.product.calls]
        assert len({(each["status"][0], each["timestamp"][0]) for each in said}) == 1


async def test_a_status_that_was_taken_is_not_pushed_again(play):
    async with play() as played, way_to(played.gateway, WayName.HTTP, callback=1) as way:
        await way.submit(submission(), always)
        await until(lambda: len(played.product.calls) == 1)
        played.gateway.clock.set_offset(timedelta(days=4))
        played.gateway.schedule.run_due()
        await until(lambda: of_kind(played.gateway, EventKind.SHOWN))
        assert len(played.product.calls) == 1


async def test_a_session_ends_after_a_quarter_of_an_hour_of_silence(client):
    async with client() as (gateway, http):
        session = (await http.get("/http/auth", params=LOGIN)).text.removeprefix("OK: ")
        assert len(session) == 32
        for minutes in (14, 28, 42):  # each call begins the quarter anew
            gateway.clock.set_offset(timedelta(minutes=minutes))
            answer = await http.get("/http/ping", params={"session_id": session})
            assert answer.text == "OK: "
        gateway.clock.set_offset(timedelta(minutes=42 + 16))
        for _ in range(2):
            answer = await http.get("/http/ping", params={"session_id": session})
            assert answer.text == "ERR: 003, Session ID expired"


async def test_sessions_stand_beside_each_other(client):
    async with client() as (_, http):
        sessions = {(await http.get("/http/auth", params=LOGIN)).text for _ in range(3)}
        assert len(sessions) == 3
        for words in sessions:
            given = {"session_id": words.removeprefix("OK: ")}
            assert (await http.get("/http/ping", params=given)).text == "OK: "


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "ERR: 005, Missing session ID"),
        ({"session_id": "0" * 32}, "ERR: 003, Session ID expired"),
        (LOGIN | {"password": "no"}, "ERR: 001, Authentication failed"),
        (LOGIN | {"api_id": "1"}, "ERR: 108, Invalid or missing API ID"),
    ],
)
async def test_who_is_not_let_in_is_told_why(client, given, expected):
    async with client() as (_, http):
        for operation in ("sendmsg", "querymsg", "delmsg", "getmsgcharge", "getbalance"):
            answer = await http.get(f"/http/{operation}", params=given)
            assert (answer.status_code, answer.text) == (200, expected)


async def sent(http, **given):
    answer = await http.get("/http/sendmsg", params=LOGIN | {"to": HANDSET, "text": "Hi"} | given)
    return answer.text.removeprefix("ID: ")


async def test_a_message_that_waits_can_be_deleted(client):
    async with client() as (gateway, http):
        message_id = await sent(http, deliv_time="30", callback="2", climsgid="abc")
        query = LOGIN | {"climsgid": "abc"}
        answer = await http.get("/http/querymsg", params=query)
        assert answer.text == f"ID: {message_id} Status: 011"
        answer = await http.get("/http/delmsg", params=query)
        assert answer.text == f"ID: {message_id} Status: 006"
        gateway.clock.set_offset(timedelta(hours=1))
        gateway.schedule.run_due()
        answer = await http.get("/http/querymsg", params=LOGIN | {"apimsgid": message_id})
        assert answer.text == f"ID: {message_id} Status: 006"
        await until(lambda: of_kind(gateway, EventKind.STATUS))
        assert [e.facts["status"] for e in of_kind(gateway, EventKind.STATUS)] == ["006"]
        assert not of_kind(gateway, EventKind.SHOWN)


async def test_a_message_that_was_delivered_cannot_be_deleted(client):
    async with client() as (gateway, http):
        message_id = await sent(http)
        await until(lambda: of_kind(gateway, EventKind.SHOWN))
        answer = await http.get("/http/delmsg", params=LOGIN | {"apimsgid": message_id})
        assert answer.text == f"ID: {message_id} Status: 004"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "ERR: 109, Missing message ID"),
        ({"apimsgid": "f" * 32}, "ERR: 103, Unknown API message ID"),
        ({"climsgid": "unknown"}, "ERR: 104, Unknown client message ID"),
    ],
)
@pytest.mark.parametrize("operation", ["delmsg", "querymsg"])
async def test_a_message_that_is_not_there_is_an_error(client, operation, given, expected):
    async with client() as (_, http):
        assert (await http.get(f"/http/{operation}", params=LOGIN | given)).text == expected


@pytest.mark.parametrize(
    ("minutes", "is_taken"), [("10080", True), ("10081", False), ("0", True), ("x", False)]
)
async def test_a_message_waits_seven_days_at_most(client, minutes, is_taken):
    async with client() as (_, http):
        answer = await sent(http, deliv_time=minutes)
        wrong = {"10081": "ERR: 120", "x": "ERR: 101"}.get(minutes, "")
        assert (len(answer) == 32) if is_taken else answer.startswith(wrong)


async def test_a_message_goes_when_its_delay_is_over(client):
    async with client() as (gateway, http):
        await sent(http, deliv_time="30")
        gateway.clock.set_offset(timedelta(minutes=29))
        gateway.schedule.run_due()
        assert not of_kind(gateway, EventKind.SHOWN)
        gateway.clock.set_offset(timedelta(minutes=31))
        await until(lambda: of_kind(gateway, EventKind.SHOWN))


async def test_the_wsdl_describes_the_service_of_the_document(client):
    async with client() as (gateway, http):
        answer = await http.get("/soap/webservice.php?wsdl")
        assert answer.headers["content-type"].startswith("text/xml")
        root = Tree.fromstring(answer.content)  # noqa: S314 - our own
        assert root.get("targetNamespace") == "soap.clickatell.com"
        assert root.find(f"{WSDL}service").get("name") == "PushServerWS"
        port = root.find(f"{WSDL}service/{WSDL}port")
        assert port.get("name") == "PushServerWSPort"
        address = port.find(f"{SOAP}address").get("location")
        assert address == gateway.urls["soap"]
        messages = {
            message.get("name"): [
                (part.get("name"), part.get("type").partition(":")[2]) for part in message
            ]
            for message in root.findall(f"{WSDL}message")
        }
        parts = messages["sendmsgRequest"]
        assert " ".join(name for name, _ in parts) == SENDMSG
        assert [name for name, kind in parts if kind == "int"] == INTS.split()
        assert dict(parts)["max_credits"] == "float"
        assert dict(parts)["to"] == "strings"
        operations = root.findall(f"{WSDL}portType/{WSDL}operation")
        assert {operation.get("name") for operation in operations} >= OPERATIONS
        binding = root.find(f"{WSDL}binding/{SOAP}binding")
        assert binding.get("style") == "rpc"
        uses = {body.get("use") for body in root.iter(f"{SOAP}body")}
        assert uses == {"encoded"}


async def test_the_charge_of_each_part_is_a_credit(client):
    async with client() as (gateway, http):
        message_id = await sent(http, text="x" * 161, concat="2")
        answer = await http.get("/http/getmsgcharge", params=LOGIN | {"apimsgid": message_id})
        words = answer.text.split()
        assert words[:4] == ["apiMsgId:", message_id, "charge:", "2"]
        assert (await http.get("/http/getbalance", params=LOGIN)).text.startswith("Credit: 998")
        await gateway.text(HANDSET, NUMBER, "Hello")
        third = 998 - 1 / 3  # guide 9: a third of a credit for each inbound message
        assert (await http.get("/http/getbalance", params=LOGIN)).text == f"Credit: {third:.3f}"
