"""The answers to the gateway, case by case."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.clock import PipelineClock
from pipeline.kafka.topics import DEAD_LETTER, MO_RAW
from pipeline.records import DeadLetter, MoRaw
from pipeline.settings import Settings
from tests.ingest.http.support import FakePublisher, running

FORM = "application/x-www-form-urlencoded"
GUIDE = (
    "api_id=12345&from=279991235642&to=27123456789&timestamp=2008-08-0609:43:50"
    "&text=Hereisthe%20messagetext&charset=ISO-8859-1&udh=&moMsgId=b2aee337abd962489b123fda9c3480fa"
)  # G8.3.1


@pytest.mark.parametrize(
    ("query", "key"),
    [
        pytest.param(GUIDE, b"279991235642", id="the guide's own example"),
        pytest.param("from=1&to=2", b"1", id="only from and to"),
        pytest.param("to=2&from=1&text=", b"1", id="any order, empty text"),
        pytest.param("from=%2B4477&to=2", b"4477", id="plus encoded"),
        pytest.param("from=+4477&to=2", b"4477", id="plus that is a blank"),
        pytest.param("from=Bank&to=2", b"Bank", id="alphanumeric from is its own key"),
        pytest.param("from=1&to=2&text=%FE%00%D8%3D&charset=UTF-16BE", b"1", id="half a surrogate"),
        pytest.param("from=1&to=2&charset=klingon&text=%FF", b"1", id="unknown charset"),
        pytest.param("from=1&to=2&timestamp=yesterday", b"1", id="unreadable timestamp"),
        pytest.param("from=1&to=2&udh=zz", b"1", id="unreadable UDH"),
        pytest.param("from=1&to=2&api_id=none&network_id=655&x=%zz", b"1", id="unknown parameter"),
        pytest.param("from=1&to=2&text=call #5 <now>", b"1", id="octets that should be encoded"),
    ],
)
@pytest.mark.parametrize("way", ["GET", "POST"])
async def test_a_callback_is_taken_as_it_came(way: str, query: str, key: bytes) -> None:
    async with running() as ingest:
        if way == "GET":
            reply = await ingest.get(f"/mo/http?{query}")
        else:
            reply = await ingest.post("/mo/http", query.encode())
    assert reply.status == 200
    [(topic, found, raw)] = ingest.publisher.published
    assert isinstance(raw, MoRaw)
    assert (topic, found) == (MO_RAW, key)
    arrived = (raw.query, raw.octets, raw.content_type) if way == "GET" else (raw.octets, raw.query)
    assert arrived == ((query.encode(), b"", "") if way == "GET" else (query.encode(), b""))
    assert (raw.source, raw.method) == ("http", way)
    assert abs(raw.received_at - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.parametrize("octets", [b"%FE", b"\xfe\xff\x00\x80", b"\xc3\xa9", b"a b\tc", b'"<>'])
async def test_raw_octets_in_a_query_reach_the_record_untouched(octets: bytes) -> None:
    async with running() as ingest:
        reply = await ingest.get(b"/mo/http?from=1&to=2&text=" + octets)
    assert reply.status == 200
    [raw] = ingest.publisher.of(MO_RAW)
    assert isinstance(raw, MoRaw)
    assert raw.query == b"from=1&to=2&text=" + octets


async def test_variables_may_be_split_between_query_and_form() -> None:
    async with running() as ingest:
        reply = await ingest.post("/mo/http?to=2&mine=1", b"from=1&text=x")
    assert reply.status == 200
    [raw] = ingest.publisher.of(MO_RAW)
    assert isinstance(raw, MoRaw)
    assert (raw.query, raw.octets, raw.content_type) == (b"to=2&mine=1", b"from=1&text=x", FORM)


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        pytest.param("to=2&text=x", "missing-from", id="from absent"),
        pytest.param("from=&to=2", "missing-from", id="from empty"),
        pytest.param("from=1&text=x", "missing-to", id="to absent"),
        pytest.param("from=1&to=", "missing-to", id="to empty"),
        pytest.param("from=1&to=2&text=%zz", "broken-percent-encoding", id="percent broken"),
        pytest.param("from=1&to=2&text=100%", "broken-percent-encoding", id="percent at the end"),
    ],
)
@pytest.mark.parametrize("way", ["GET", "POST"])
async def test_a_refused_callback_is_kept_in_the_dead_letter(
    way: str, query: str, reason: str
) -> None:
    async with running() as ingest:
        if way == "GET":
            reply = await ingest.get(f"/mo/http?{query}")
        else:
            reply = await ingest.post("/mo/http", query.encode())
        assert ingest.sample("twoway_ingest_dead_letters_total", source="http", reason=reason) == 1
    assert reply.status == 400
    assert reply.body.count(b"\n") == 1
    [(topic, key, letter)] = ingest.publisher.published
    assert isinstance(letter, DeadLetter)
    assert (topic, key, letter.reason, letter.stage) == (DEAD_LETTER, None, reason, "ingest")
    headers = {header.name: header.value for header in letter.headers}
    assert headers["method"] == way.encode()
    assert (headers["query"] or letter.octets) == query.encode()


@pytest.mark.parametrize(
    "target", ["/mo/http", "/mo/http?", "/mo/http?hello=1", "http://example.org/mo/http"]
)
@pytest.mark.parametrize("way", ["GET", "POST", "HEAD"])
async def test_a_url_that_is_tried_is_answered_200_and_nothing_is_recorded(
    way: str, target: str
) -> None:
    async with running(publisher=FakePublisher(acknowledges=False)) as ingest:
        reply = await ingest.get(target, method=way)
    assert (reply.status, ingest.publisher.published) == (200, [])


@pytest.mark.parametrize("query", ["from=1&to=2", "from=1"], ids=["callback", "refused callback"])
async def test_without_an_acknowledgement_the_answer_is_503_and_never_400(query: str) -> None:
    async with running(publisher=FakePublisher(acknowledges=False)) as ingest:
        reply = await ingest.get(f"/mo/http?{query}")
        assert ingest.sample("twoway_ingest_unavailable_since_time_seconds") > 0
        ingest.publisher.acknowledges = True
        assert (await ingest.get("/mo/http?from=1&to=2")).status == 200
        assert ingest.sample("twoway_ingest_unavailable_since_time_seconds") == 0
        assert ingest.sample("twoway_ingest_last_unavailable_time_seconds") > 0
    assert reply.status == 503
    assert int(reply.headers["retry-after"]) > 0


async def test_200_is_not_said_before_the_acknowledgement() -> None:
    publisher = FakePublisher(held=asyncio.get_running_loop().create_future())
    async with running(publisher=publisher) as ingest:
        asked = asyncio.ensure_future(ingest.get("/mo/http?from=1&to=2"))
        await publisher.asked.wait()
        assert ingest.sample("twoway_ingest_in_flight") == 1
        assert not asked.done()
        assert publisher.held is not None
        publisher.held.set_result(True)
        assert (await asked).status == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
async def test_another_method_is_405_and_says_which_are_taken(method: str) -> None:
    async with running() as ingest:
        reply = await ingest.get("/mo/http?from=1&to=2", method=method)
    assert (reply.status, reply.headers["allow"]) == (405, "GET, POST, HEAD")
    assert ingest.publisher.published == []


async def test_head_delivers_nothing() -> None:
    async with running() as ingest:
        reply = await ingest.get("/mo/http?from=1&to=2", method="HEAD")
    assert (reply.status, reply.body, ingest.publisher.published) == (405, b"", [])


@pytest.mark.parametrize(
    "target", ["/", "/mo", "/mo/http/", "/mo/HTTP", "/mo%2Fhttp", "/mo/http#x?from=1", "*", "//"]
)
async def test_another_path_is_404(target: str) -> None:
    async with running() as ingest:
        assert (await ingest.get(target)).status == 404


async def test_a_compressed_body_is_not_mistaken_for_an_empty_one() -> None:
    async with running() as ingest:
        refused = await ingest.post("/mo/http", b"\x1f\x8b", "Content-Encoding: gzip")
        taken = await ingest.post("/mo/http", b"from=1&to=2", "Content-Encoding: identity")
    assert (refused.status, taken.status) == (415, 200)


async def test_the_log_holds_no_query_and_the_metrics_no_handset() -> None:
    async with running() as ingest:
        await ingest.get("/mo/http?from=447700900123&to=2&text=secret")
        await ingest.get("/mt/447700900123")
        await ingest.get("/447700900123?from=447700900123")
        log, metrics = ingest.logged(), ingest.ingest.metrics.exposition().decode()
    assert [line.split(" ")[1:4] for line in log.splitlines()] == [
        ["GET", "/mo/http", "200"],
        ["GET", "/mt/{request_id}", "404"],
        ["-", "none", "404"],
    ]
    assert "447700900123" not in log + metrics
    assert "secret" not in log + metrics


async def test_receipt_is_by_the_clock_of_the_local_stack(tmp_path: object) -> None:
    settings = Settings(http_port=0, home=tmp_path)  # type: ignore[arg-type]
    PipelineClock(settings.home).set_offset(timedelta(hours=6))
    async with running(settings) as ingest:
        await ingest.get("/mo/http?from=1&to=2")
    [raw] = ingest.publisher.of(MO_RAW)
    assert isinstance(raw, MoRaw)
    assert timedelta(hours=5) < raw.received_at - datetime.now(UTC) < timedelta(hours=7)


async def test_the_clock_of_a_home_does_not_move_an_installation_with_its_own_kafka(
    tmp_path: object,
) -> None:
    settings = Settings(http_port=0, home=tmp_path, kafka="k:9092")  # type: ignore[arg-type]
    PipelineClock(settings.home).set_offset(timedelta(hours=6))
    async with running(settings) as ingest:
        await ingest.get("/mo/http?from=1&to=2")
    [raw] = ingest.publisher.of(MO_RAW)
    assert isinstance(raw, MoRaw)
    assert raw.received_at - datetime.now(UTC) < timedelta(minutes=1)


async def test_a_defect_is_503_so_that_the_gateway_tries_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    publisher = FakePublisher()
    publisher.publish = None  # type: ignore[method-assign,assignment]
    async with running(publisher=publisher) as ingest:
        reply = await ingest.get("/mo/http?from=447700900123&to=2")
        assert ingest.sample("twoway_ingest_failures_total") == 1
    assert reply.status == 503
    assert "447700900123" not in caplog.text


GIVEN_ID = "b2aee337abd962489b123fda9c3480fa"


@pytest.mark.parametrize(
    ("query", "named"),
    [
        pytest.param(f"moMsgId={GIVEN_ID}", f"id={GIVEN_ID}"),
        pytest.param("moMsgId=447700900123", "id=[number]"),
        pytest.param("moMsgId=a%0Ab", "ms\n"),
        pytest.param("moMsgId=" + "x" * 200, "ms\n"),
        pytest.param("", "ms\n"),
    ],
    ids=["the gateway's id", "a handset in its place", "a line end", "a long one", "none"],
)  # fmt: skip
async def test_the_line_of_a_callback_has_the_id_of_the_message(query: str, named: str) -> None:
    async with running() as ingest:
        await ingest.get(f"/mo/http?from=447700900123&to=2&text=hi&{query}")
        (line,) = ingest.logged().splitlines(keepends=True)
    assert line.endswith(named if named.endswith("\n") else f"ms {named}\n")


async def test_the_id_of_one_request_is_not_in_the_line_of_the_next() -> None:
    async with running() as ingest:
        await ingest.get("/mo/http?from=447700900123&to=2&moMsgId=first")
        await ingest.post("/mt", b'{"to": "1", "text": "x"}', "Idempotency-Key: order-1")
        await ingest.get("/mt/order-1")
        await ingest.get("/openapi.json")
        lines = [line.rpartition("ms")[2] for line in ingest.logged().splitlines()]
    assert lines == [" id=first", " id=order-1", " id=order-1", ""]
