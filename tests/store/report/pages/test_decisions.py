"""Reviews and dead letters: what a page shows, who may decide, and what is published."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.avro.single_object import decode
from pipeline.kafka import topics
from pipeline.records import ConsentRequest, DeadLetter, DeadLetterRetry
from pipeline.sms.msisdn import key_from_handset
from pipeline.store.report.pages.decisions import Decisions
from tests.store.report.scene import BOB, SHORT_CODE, changed, message, scene, store_scene
from tests.store.report.serving_report import Running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    import httpx

    from pipeline.store.clickhouse.database import Database

REVIEWED = "6" * 32
LETTER, UNREADABLE = "7" * 32, "9" * 32
REAL = "d" * 32


class FakeProducer:
    """Keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Any, dict[str, Any]]] = []
        self.transactions = 0

    async def send(self, topic: str, value: bytes, **how: Any) -> None:
        self.sent.append((topic, value, how))

    async def send_and_wait(self, topic: str, value: bytes, **how: Any) -> None:
        await self.send(topic, value, **how)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield
        self.transactions += 1


@pytest.fixture(scope="module")
def running(database: Database) -> Iterator[Running]:
    form = b"from=447700900002&to=88801&text=hello&moMsgId=m1"
    letters = [
        changed(DeadLetter, dead_letter_id=UNREADABLE, reason="too-long", key=None),
        changed(
            DeadLetter, dead_letter_id=REAL, topic="", stage="ingest", source="http", octets=form,
            headers=[],
        ),
    ]  # fmt: skip
    others = [
        message(n, BOB, "maybe do not stop", 30 + int(n), flags=["review"], message_id=n * 31 + "r")
        for n in "12"
    ]
    store_scene(database, [*scene(), *others, *letters])
    opened = Running(database)
    yield opened
    opened.stop()


@pytest.fixture
def producer(monkeypatch: pytest.MonkeyPatch) -> FakeProducer:
    fake = FakeProducer()

    @asynccontextmanager
    async def opened(*_: Any) -> AsyncIterator[FakeProducer]:
        yield fake

    monkeypatch.setattr(Decisions, "_producer", opened)
    return fake


@pytest.fixture
def client(running: Running) -> httpx.Client:
    return running.client


def token_of(client: httpx.Client, path: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', client.get(path).text)
    assert found
    return found[1]


def decide(client: httpx.Client, id: str, **fields: str) -> httpx.Response:
    form = {"id": id, "action": "accept", "by": "anna", "reason": "means it"} | fields
    form = {"form_token": token_of(client, "/review")} | form
    return client.post("/review", data=form)


def test_the_queue_has_what_waits_with_its_text(client: httpx.Client) -> None:
    page = client.get("/review").text
    assert "please do not cancel my order" in page
    assert REVIEWED in page


def test_a_review_is_published_as_the_command_publishes_it(
    client: httpx.Client, producer: FakeProducer
) -> None:
    answer = decide(client, REVIEWED)
    assert (answer.status_code, answer.headers["location"]) == (303, "review?done=accept")
    ((topic, octets, how),) = producer.sent
    request = decode(octets)
    assert isinstance(request, ConsentRequest)
    assert (topic, how["key"]) == (topics.CONSENT_REQUEST, key_from_handset(BOB))
    assert request.request_id == f"review-{REVIEWED}"
    assert (request.action, request.actor, request.reason) == ("accept", "anna", "means it")
    assert (request.handset, request.number, request.mo_message_id) == (BOB, SHORT_CODE, REVIEWED)
    again = decide(client, REVIEWED, action="dismiss")
    assert (again.status_code, len(producer.sent)) == (409, 1)
    assert REVIEWED not in client.get("/review").text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"form_token": "0" * 64}, 400),
        ({"form_token": ""}, 400),
        ({"by": ""}, 400),
        ({"reason": " "}, 400),
        ({"action": "delete"}, 409),
        ({"id": "1" * 32}, 409),
        ({"id": "no such"}, 409),
    ],
    ids=str,
)
def test_what_is_no_decision_publishes_nothing(
    client: httpx.Client, producer: FakeProducer, fields: dict[str, str], status: int
) -> None:
    waiting = "1" * 31 + "r"
    answer = decide(client, fields.pop("id", waiting), **fields)
    assert (answer.status_code, producer.sent) == (status, [])


def test_a_page_elsewhere_decides_nothing(client: httpx.Client, producer: FakeProducer) -> None:
    form = {"form_token": token_of(client, "/review"), "id": "1" * 31 + "r", "action": "accept"}
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    answer = client.post("/review", data=form | {"by": "x", "reason": "y"}, headers=headers)
    assert (answer.status_code, producer.sent) == (403, [])


def test_a_letter_shows_its_octets_and_what_a_retry_would_do(client: httpx.Client) -> None:
    page = client.get(f"/letter?id={LETTER}").text
    assert "c3 01" in page
    assert "ff 00" in page  # of its header
    assert "It would go to mo-raw" in page
    cannot = client.get(f"/letter?id={UNREADABLE}").text
    assert "only its beginning was kept" in cannot
    assert "<form method=" not in cannot
    assert client.get("/letter?id=none").status_code == 404


def test_a_letter_is_sent_through_again_in_one_transaction_with_its_record(
    client: httpx.Client, producer: FakeProducer
) -> None:
    path = f"/letter?id={REAL}"
    form = {"form_token": token_of(client, path), "id": REAL, "by": "anna"}
    answer = client.post("/letter", data=form)
    assert (answer.status_code, answer.headers["location"]) == (303, f"letter?id={REAL}")
    (first, second) = producer.sent
    assert (first[0], producer.transactions) == (topics.MO_RAW, 1)
    assert first[2]["headers"] == [("twoway-retry-of", REAL.encode())]
    retry = decode(second[1])
    assert isinstance(retry, DeadLetterRetry)
    assert (second[0], retry.dead_letter_id, retry.actor) == (
        topics.DEAD_LETTER_RETRY, REAL, "anna",
    )  # fmt: skip
    assert client.post("/letter", data=form).status_code == 409
    assert len(producer.sent) == 2
    assert "It was sent through again" in client.get(path).text


def test_a_right_that_is_missing_closes_the_route(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pipeline.store.report import caller

    rights = caller.EVERYTHING - {caller.Right.DECIDE, caller.Right.DOWNLOAD}
    monkeypatch.setattr(caller, "EVERYTHING", rights)
    for path, status in (
        ("/review", 403), ("/letter?id=x", 403), ("/csv/lines", 403), ("/list/lines", 200),
        ("/", 200),
    ):  # fmt: skip
        assert running.client.get(path).status_code == status
    assert running.client.post("/review", data={}).status_code == 403
