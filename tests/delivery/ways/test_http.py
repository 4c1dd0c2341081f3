"""HTTP to an application that is slow, hangs, cuts, lies, or sends us elsewhere."""

from __future__ import annotations

import asyncio
import base64
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

from pipeline.avro import single_object
from pipeline.delivery.orders import DeliveryOrder
from pipeline.delivery.secrets_file import NONE, Credentials
from pipeline.delivery.ways.http import LARGEST_ANSWER, HttpReplyWay
from pipeline.wire.webhook import headers_of, key_from_secret
from tests.delivery.application import HANG, OK, Application, answer, serving
from tests.delivery.test_forms import path_by
from tests.support.delivering import HANDSET, NOON, message

if TYPE_CHECKING:
    from pipeline.delivery.way import Seen
    from pipeline.records import ReplyPath

WORD = "secret-word"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def order_by(path: ReplyPath, record: Any = None) -> DeliveryOrder:
    record = record or message("ab" * 16)
    return DeliveryOrder(
        partition=0,
        delivery_id="d",
        path=path,
        kind="message",
        subject_id=record.message_id,
        handset=HANDSET,
        octets=single_object.encode(record),
        attempt=1,
        is_first_try=True,
        since=NOON,
    )


async def handed_on(
    url: str,
    *,
    way: str = "http-post",
    credentials: Credentials = NONE,
    times: int = 1,
    shows: bool = False,
    **fields: Any,
) -> Seen:
    """What is seen of the last of so many attempts by one way."""
    path = path_by(way, url=url, **fields)
    made = HttpReplyWay(path, credentials, shows=shows)
    try:
        for _ in range(times):
            order = order_by(path)
            seen = await made.deliver(order, single_object.decode(order.octets))
    finally:
        await made.close()
    return seen


async def test_a_form_is_posted_and_2xx_is_taken() -> None:
    async with serving(Application([answer("204 No Content")])) as application:
        seen = await handed_on(application.url)
    assert (seen.is_delivered, seen.status, seen.words) == (True, "204", "")
    ((line, headers, body),) = application.requests
    assert line == "POST /hook HTTP/1.1"
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert dict(parse_qsl(body.decode()))["moMsgId"] == "ab" * 16


@pytest.mark.parametrize(
    ("more", "begins"), [("", "GET /hook?api_id=1&from="), ("?x=%2F", "GET /hook?x=%2F&api_id=1&")]
)
async def test_a_get_adds_its_variables_to_those_of_the_url(more: str, begins: str) -> None:
    async with serving(Application()) as application:
        assert (await handed_on(application.url + more, way="http-get")).is_delivered
    ((line, _, body),) = application.requests
    assert line.startswith(begins)
    assert body == b""


@pytest.mark.parametrize("way", ["http-get", "http-post", "webhook"])
async def test_what_goes_out_is_signed_where_the_path_has_secrets(way: str) -> None:
    keys = (key_from_secret(SECRET),)
    async with serving(Application()) as application:
        seen = await handed_on(application.url, way=way, credentials=Credentials(keys=keys))
    assert seen.is_delivered
    ((line, headers, body),) = application.requests
    payload = body or line.split()[1].partition("?")[2].encode()
    signed = headers_of(
        keys,
        message_id="ab" * 16,
        timestamp=int(headers["webhook-timestamp"]),
        payload=payload,
    )
    assert signed.items() <= headers.items()
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60


async def test_a_webhook_without_a_secret_is_not_sent() -> None:
    async with serving(Application()) as application:
        seen = await handed_on(application.url, way="webhook")
    assert not seen.is_delivered
    assert "reply-secrets.toml" in seen.words
    assert application.requests == []


async def test_basic_auth_goes_along() -> None:
    given = Credentials(user="ü", password=WORD)
    async with serving(Application()) as application:
        seen = await handed_on(application.url, credentials=given, shows=True)
    expected = base64.b64encode(f"ü:{WORD}".encode()).decode()
    assert application.requests[0][1]["authorization"] == f"Basic {expected}"
    assert expected.encode() not in seen.sent


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        pytest.param(answer("500 Oops", body=b"no"), "500", "Oops: no", id="500"),
        pytest.param(answer("410 Gone"), "410", "Gone", id="410 fails, and disables nothing"),
        pytest.param(
            answer("302 Found", "Location: http://127.0.0.1:1/"), "302", "Found", id="a redirect"
        ),
        pytest.param(answer("404 Not Found", body=b"x" * 100_000), "404", None, id="a long no"),
        pytest.param(b"", "", None, id="closed without a word"),
        pytest.param(b"HTTP/1.1 2", "", None, id="cut in the status line"),
        pytest.param(b"SSH-2.0-OpenSSH\r\n", "", None, id="another protocol"),
        pytest.param(b"HTTP/1.1 999999 OK\r\n\r\n", "", None, id="a status that is none"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            "",
            None,
            id="broken chunks",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nA: " + b"x" * 100_000, "", None, id="an endless header"),
    ],
)
async def test_anything_but_2xx_has_failed(said: bytes, status: str, words: str | None) -> None:
    async with serving(Application([said], closes=True)) as application:
        seen = await handed_on(application.url)
    assert (seen.is_delivered, seen.status) == (False, status)
    assert len(application.requests) == 1, "a redirect is not followed, and nothing sent twice"
    assert words is None or seen.words == words
    assert 0 < len(seen.words) <= 300


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut", id="cut"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + HANG, id="hanging"),
        pytest.param(answer("200 OK", body=b"x" * 10_000_000), id="endless"),
        pytest.param(
            answer("200 OK", "Content-Encoding: gzip", body=b"no gzip"), id="of an unasked encoding"
        ),
    ],
)
async def test_a_2xx_is_taken_whatever_its_body_is(said: bytes) -> None:
    began = time.monotonic()
    async with serving(Application([said], closes=True)) as application:
        seen = await handed_on(application.url)
    assert (seen.is_delivered, seen.status) == (True, "200")
    assert time.monotonic() - began < 5


async def test_an_application_that_hangs_is_left_after_its_time() -> None:
    async with serving(Application([HANG])) as application:
        seen = await handed_on(application.url, timeout_seconds=1)
    assert (seen.is_delivered, seen.words) == (False, "no answer within 1 s")


async def test_one_octet_a_second_is_no_answer() -> None:
    async with serving(Application([b"H" + HANG])) as application:
        seen = await handed_on(application.url, timeout_seconds=1)
    assert not seen.is_delivered


async def test_nobody_there_has_failed() -> None:
    seen = await handed_on("http://127.0.0.1:1/")
    assert not seen.is_delivered
    assert seen.words


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("60", 60), ("-1", 0), ("soon", 0), ("99999999999999999999", 86_400), ("1e3", 0)],
)
async def test_retry_after_is_read(header: str, seconds: int) -> None:
    said = answer("503 Busy", f"Retry-After: {header}")
    async with serving(Application([said])) as application:
        seen = await handed_on(application.url)
    assert (seen.retry_after_seconds, seen.is_throttled) == (seconds, True)


async def test_a_connection_is_kept_and_one_that_was_closed_meanwhile_costs_no_attempt() -> None:
    async with serving(Application()) as application:
        assert (await handed_on(application.url, times=5)).is_delivered
        assert application.connections == 1
    async with serving(Application([OK], closes=True)) as closing:
        path = path_by("http-post", url=closing.url)
        way = HttpReplyWay(path, NONE)
        for _ in range(3):
            order = order_by(path)
            assert (await way.deliver(order, single_object.decode(order.octets))).is_delivered
            await asyncio.sleep(0.05)
        await way.close()


async def test_a_name_of_an_internal_address_is_refused_unless_the_operator_allows_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def resolve(_self: Any, host: str, port: int = 0, family: int = 0) -> list[Any]:
        found = {"hostname": host, "host": "127.0.0.1", "port": port, "family": 2}
        return [found | {"proto": 0, "flags": 0}]

    monkeypatch.setattr("aiohttp.resolver.ThreadedResolver.resolve", resolve)
    async with serving(Application()) as application:
        url = f"http://crm.example.com:{application.port}/"
        refused = await handed_on(url)
        assert not refused.is_delivered
        assert "internal" in refused.words
        assert application.requests == []
        assert (await handed_on(url, internal=True)).is_delivered
        assert (await handed_on(f"http://localhost:{application.port}/")).is_delivered


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    async with serving(Application()) as application:
        assert (await handed_on(application.url)).is_delivered


async def test_whoever_tries_a_path_sees_the_octets_of_both_sides() -> None:
    async with serving(Application()) as application:
        seen = await handed_on(application.url, shows=True)
    line, headers, body = application.requests[0]
    assert seen.sent.startswith(line.encode() + b"\r\n")
    assert seen.sent.endswith(b"\r\n\r\n" + body)
    assert f"Content-Length: {headers['content-length']}".encode() in seen.sent
    assert seen.received == OK


async def test_no_more_of_an_answer_is_read_than_said() -> None:
    said = answer("500 No", body=b"x" * (LARGEST_ANSWER * 3))
    async with serving(Application([said])) as application:
        seen = await handed_on(application.url, shows=True)
    assert len(seen.received.partition(b"\r\n\r\n")[2]) == LARGEST_ANSWER
