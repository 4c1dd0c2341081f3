"""`POST /mt` and `GET /mt/{request_id}`."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.avro.single_object import encode
from pipeline.kafka.topics import MT_REQUEST
from pipeline.records import MtCommand, MtRequest
from tests.ingest.http.support import FakePublisher, Reply, Running, running
from tests.support.same_requests import PAIRS

ASKED = {"to": "+447700900001", "text": "Hello"}
JSON = "application/json"


async def ask(ingest: Running, body: Any, *headers: str, content_type: str = JSON) -> Reply:
    """Post a request; a body that is not bytes is sent as JSON."""
    octets = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await ingest.post("/mt", octets, *headers, content_type=content_type)


def is_asked(ingest: Running) -> MtRequest:
    """The one published request."""
    [(topic, _, record)] = ingest.publisher.published
    assert topic == MT_REQUEST
    assert isinstance(record, MtRequest)
    return record


async def test_a_request_is_published_under_the_handset_and_answered_202() -> None:
    async with running() as ingest:
        reply = await ask(ingest, ASKED, "Idempotency-Key: order-17")
    record = is_asked(ingest)
    assert (reply.status, json.loads(reply.body)) == (202, {"request_id": "order-17"})
    assert ingest.publisher.published[0][1] == b"447700900001"
    assert (record.request_id, record.to, record.text) == ("order-17", "+447700900001", "Hello")
    assert abs(record.requested_at - datetime.now(UTC)) < timedelta(minutes=1)


async def test_every_field_reaches_the_record() -> None:
    everything = ASKED | {
        "from": "12345",
        "keyword": "FUN",
        "api_id": "77",
        "confirms_opt_out": True,
        "not_after": "2030-01-02T03:04:05+02:00",
    }
    async with running() as ingest:
        reply = await ask(ingest, everything)
    record = is_asked(ingest)
    assert reply.status == 202
    assert (record.sender_id, record.keyword, record.api_id) == ("12345", "FUN", "77")
    assert record.confirms_opt_out
    assert record.not_after == datetime(2030, 1, 2, 1, 4, 5, tzinfo=UTC)


async def test_without_a_key_each_request_has_an_id_of_its_own() -> None:
    async with running() as ingest:
        ids = {json.loads((await ask(ingest, ASKED)).body)["request_id"] for _ in range(3)}
    assert len(ids) == 3
    assert len(ingest.publisher.published) == 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"", "not a request", id="empty"),
        pytest.param(b"{", "not a request", id="JSON cut short"),
        pytest.param(b"\xff\xfe", "not a request", id="no UTF-8"),
        pytest.param(b"[" * 20_000, "not a request", id="deep"),
        pytest.param([ASKED], "object", id="a list"),
        pytest.param({"to": "1"}, "text", id="no text"),
        pytest.param({"text": "x"}, "to", id="no to"),
        pytest.param(ASKED | {"to": ""}, "to is empty", id="empty to"),
        pytest.param(ASKED | {"to": " "}, "to is empty", id="blank to"),
        pytest.param(ASKED | {"to": 447700900001}, r"\$.to", id="to is a number"),
        pytest.param(ASKED | {"colour": "red"}, "colour", id="unknown field"),
        pytest.param(ASKED | {"sender_id": "1"}, "sender_id", id="our own name of a field"),
        pytest.param(ASKED | {"confirms_opt_out": "yes"}, "confirms_opt_out", id="no boolean"),
        pytest.param(ASKED | {"not_after": "tomorrow"}, "not_after", id="no time"),
        pytest.param(ASKED | {"not_after": "2030-01-01T00:00:00"}, "no zone", id="no zone"),
        pytest.param(
            ASKED | {"not_after": "9999-12-31T23:59:59-12:00"}, "calendar", id="after year 9999"
        ),
        pytest.param(b'{"to":"1","text":"\\ud83d"}', "not a request", id="half a surrogate pair"),
    ],
)
async def test_what_is_no_request_is_400_and_says_why(body: Any, words: str) -> None:
    async with running() as ingest:
        reply = await ask(ingest, body)
    assert reply.status == 400
    assert ingest.publisher.published == []
    assert re.search(words, reply.body.decode())


@pytest.mark.parametrize(
    ("key", "request_id"),
    [
        pytest.param("a", "a", id="one character"),
        pytest.param("A.b_c:d~e-9", "A.b_c:d~e-9", id="every kind of character"),
        pytest.param("x" * 128, "x" * 128, id="longest"),
        pytest.param('"quoted-1"', "quoted-1", id="quoted string of the draft header"),
        pytest.param("x" * 129, None, id="too long"),
        pytest.param("a/b", None, id="slash"),
        pytest.param("a b", None, id="blank"),
        pytest.param('""', None, id="quoted nothing"),
        pytest.param("é", None, id="no ASCII"),
    ],
)
async def test_the_idempotency_key_is_the_request_id(key: str, request_id: str | None) -> None:
    async with running() as ingest:
        reply = await ask(ingest, ASKED, f"Idempotency-Key: {key}")
        if request_id is None:
            assert reply.status == 400
            return
        assert json.loads(reply.body)["request_id"] == request_id
        status = await ingest.get(reply.headers["location"])
    assert json.loads(status.body)["state"] == "pending"


async def test_the_same_again_is_202_without_effect_and_another_content_409() -> None:
    async with running() as ingest:
        key = "Idempotency-Key: k"
        replies = [
            await ask(ingest, ASKED, key),
            await ask(ingest, dict(reversed(ASKED.items())), key),
            await ask(ingest, ASKED | {"keyword": None}, key),
            await ask(ingest, ASKED | {"text": "Hullo"}, key),
            await ask(ingest, ASKED | {"to": "447700900002"}, key),
            await ask(ingest, ASKED | {"confirms_opt_out": True}, key),
        ]
    assert [reply.status for reply in replies] == [202, 202, 202, 409, 409, 409]
    assert len(ingest.publisher.published) == 1


@pytest.mark.parametrize(("first", "second", "is_same"), PAIRS)
async def test_one_key_for_two_requests_is_409_and_for_the_same_202(
    first: dict[str, Any], second: dict[str, Any], is_same: bool
) -> None:
    async with running() as ingest:
        replies = [await ask(ingest, body, "Idempotency-Key: k") for body in (first, second)]
    assert [reply.status for reply in replies] == [202, 202 if is_same else 409]
    assert len(ingest.publisher.published) == 1


async def test_another_content_is_409_while_the_first_is_under_way() -> None:
    publisher = FakePublisher(held=asyncio.get_running_loop().create_future())
    async with running(publisher=publisher) as ingest:
        first = asyncio.ensure_future(ask(ingest, ASKED, "Idempotency-Key: k"))
        await publisher.asked.wait()
        second = await ask(ingest, ASKED | {"text": "Hullo"}, "Idempotency-Key: k")
        assert publisher.held is not None
        publisher.held.set_result(True)
        assert ((await first).status, second.status) == (202, 409)


async def test_a_request_that_kafka_has_not_acknowledged_is_503_and_may_come_again() -> None:
    async with running(publisher=FakePublisher(acknowledges=False)) as ingest:
        key = "Idempotency-Key: k"
        refused = await ask(ingest, ASKED, key)
        unknown = await ingest.get("/mt/k")
        ingest.publisher.acknowledges = True
        taken = await ask(ingest, ASKED, key)
    assert [reply.status for reply in (refused, unknown, taken)] == [503, 404, 202]
    assert "retry-after" in refused.headers
    assert is_asked(ingest).request_id == "k"


@pytest.mark.parametrize(
    "content_type", ["", JSON, "application/json; charset=utf-8", "text/plain"]
)
async def test_any_content_type_is_taken(content_type: str) -> None:
    async with running() as ingest:
        assert (await ask(ingest, ASKED, content_type=content_type)).status == 202


async def test_the_status_is_the_record_the_request_stands_in() -> None:
    command = MtCommand(
        command_id="c1",
        request_id="k",
        purpose="reply",
        sender_id="12345",
        handset="447700900001",
        text="Hello",
        mo=True,
        reply_expected=True,
        reply_note="",
        at=datetime(2030, 1, 1, tzinfo=UTC),
        not_after=datetime(2030, 1, 2, tzinfo=UTC),
        scopes=[],
        api_id="1",
        account="main",
        keyword="",
        encoding="gsm7",
        parts=1,
        mo_message_id="",
    )
    async with running() as ingest:
        await ask(ingest, ASKED, "Idempotency-Key: k")
        ingest.ingest.index.enter(command, encode(command))
        reply = await ingest.get("/mt/k")
        head = await ingest.get("/mt/k", method="HEAD")
    status = json.loads(reply.body)
    assert (reply.status, head.status) == (200, 200)
    assert (status["state"], status["command_id"], status["sender_id"]) == (
        "command",
        "c1",
        "12345",
    )
    assert status["at"] == "2030-01-01T00:00:00Z"


@pytest.mark.parametrize("path", ["/mt/unknown", "/mt/", "/mt/a/b", "/mt/%00", "/mt/" + "x" * 200])
async def test_an_unknown_id_is_404(path: str) -> None:
    async with running() as ingest:
        assert (await ingest.get(path)).status == 404


async def test_an_id_is_not_called_unknown_before_the_topics_were_read() -> None:
    async with running() as ingest:
        ingest.ingest.tail.is_caught_up = False
        assert (await ingest.get("/mt/perhaps")).status == 503


@pytest.mark.parametrize(
    ("method", "path", "allow"), [("GET", "/mt", "POST"), ("POST", "/mt/k", "GET, HEAD")]
)
async def test_the_wrong_method_is_405(method: str, path: str, allow: str) -> None:
    async with running() as ingest:
        reply = await ingest.get(path, method=method)
    assert (reply.status, reply.headers["allow"]) == (405, allow)
