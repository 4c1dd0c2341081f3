"""Clients that are slow, send long requests, are many, or break the protocol."""

from __future__ import annotations

import asyncio
import resource
from asyncio import StreamWriter
from contextlib import AsyncExitStack

import pytest

from ingest.http.limits import Limits
from pipeline.kafka.topics import DEAD_LETTER, MO_RAW
from pipeline.records import DeadLetter
from pipeline.settings import Settings
from tests.ingest.http.support import FakePublisher, Running, read_reply, running

CALLBACK = b"GET /mo/http?from=1&to=2 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
FORM = b"from=1&to=2&text=" + b"x" * 83


async def test_a_connection_is_used_again() -> None:
    async with running() as ingest:
        reader, writer = await asyncio.open_connection("127.0.0.1", ingest.port)
        for _ in range(3):
            writer.write(CALLBACK)
            reply = await read_reply(reader)
            assert (reply.status, reply.headers["connection"]) == (200, "keep-alive")
        writer.close()
    assert len(ingest.publisher.published) == 3


async def test_requests_in_a_row_are_answered_in_their_order() -> None:
    async with running() as ingest:
        reader, writer = await asyncio.open_connection("127.0.0.1", ingest.port)
        targets = (b"/mo/http?from=1&to=2", b"/mo/http?to=2", b"/healthz", b"/nothing")
        writer.write(b"".join(b"GET %s HTTP/1.1\r\n\r\n" % target for target in targets))
        replies = [await read_reply(reader) for _ in targets]
        writer.close()
    assert [reply.status for reply in replies] == [200, 400, 200, 404]


async def test_a_client_that_closes_its_side_is_answered_all_the_same() -> None:
    publisher = FakePublisher(held=asyncio.get_running_loop().create_future())
    async with running(publisher=publisher) as ingest:
        reader, writer = await asyncio.open_connection("127.0.0.1", ingest.port)
        writer.write(CALLBACK)
        writer.write_eof()
        await publisher.asked.wait()
        assert publisher.held is not None
        publisher.held.set_result(True)
        reply = await read_reply(reader)
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert await reader.read() == b""
        writer.close()


async def test_a_client_that_goes_away_in_the_middle_leaves_nothing_behind() -> None:
    async with running() as ingest:
        _, writer = await asyncio.open_connection("127.0.0.1", ingest.port)
        writer.write(b"POST /mo/http HTTP/1.1\r\nContent-Length: 100\r\n\r\nfrom=1&to=2")
        await writer.drain()
        writer.transport.abort()
        assert (await ingest.get("/mo/http?from=3&to=4")).status == 200
        await _until(lambda: ingest.ingest.capacity.connections == 0)
        assert ingest.ingest.capacity.held_octets == 0
    assert len(ingest.publisher.of(MO_RAW)) == 1


async def _until(condition: object) -> None:
    async with asyncio.timeout(10):
        while not condition():  # type: ignore[operator]  # noqa: ASYNC110 - sockets signal nothing
            await asyncio.sleep(0.01)


async def test_a_body_that_is_awaited_comes_after_100_continue() -> None:
    async with running() as ingest:
        reader, writer = await asyncio.open_connection("127.0.0.1", ingest.port)
        writer.write(
            b"POST /mo/http HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n"
        )
        assert (await read_reply(reader)).status == 100
        writer.write(FORM)
        assert (await read_reply(reader)).status == 200
        writer.close()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(b"x" * 65_536, 400, id="64 KiB are read"),
        pytest.param(b"x" * 65_537, 413, id="one more is not"),
        pytest.param(b"x" * 5_000_000, 413, id="nor is a flood, and the answer arrives"),
    ],
)
async def test_the_body_limit(body: bytes, status: int) -> None:
    async with running() as ingest:
        reply = await ingest.post("/mo/http", b"to=2&text=" + body[10:])
        [letter] = ingest.publisher.of(DEAD_LETTER)
    assert reply.status == status
    assert isinstance(letter, DeadLetter)
    assert letter.octets == (b"to=2&text=" + body[10:])[:65_536]
    assert letter.reason == ("missing-from" if status == 400 else "too-long")


@pytest.mark.parametrize("path", ["/mo/http", "/mt"])
async def test_a_chunked_flood_is_413(path: str) -> None:
    async with running() as ingest:
        head = f"POST {path} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        reply = await ingest.exchange(head, *[b"1000\r\n" + b"x" * 4096 + b"\r\n"] * 20)
    assert (reply.status, reply.headers["connection"]) == (413, "close")
    kept = [len(letter.octets) for letter in ingest.publisher.of(DEAD_LETTER)]  # type: ignore[attr-defined]
    assert kept == ([65_536] if path == "/mo/http" else [])


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/mt", 413, id="what is too long for a request is refused at once"),
        pytest.param("/mo/http", 100, id="of what may be a message the beginning is wanted"),
    ],
)
async def test_a_body_beyond_the_limit_that_is_awaited(path: str, status: int) -> None:
    head = f"POST {path} HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 70000\r\n\r\n"
    async with running() as ingest:
        reply = await ingest.exchange(head.encode(), has_body=status != 100)
    assert reply.status == status


@pytest.mark.parametrize(
    ("octets", "status"),
    [
        pytest.param(b"GET /mo/http?a=" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414, id="target"),
        pytest.param(
            b"GET /mo/http HTTP/1.1\r\nA: " + b"x" * 40_000 + b"\r\n\r\n", 431, id="headers"
        ),
        pytest.param(b"hello\r\n\r\n", 400, id="no HTTP"),
        pytest.param(b"POST / HTTP/1.1\r\nTransfer-Encoding: br\r\n\r\n", 501, id="coding"),
    ],
)
async def test_what_cannot_be_framed_is_answered_and_closed(octets: bytes, status: int) -> None:
    async with running() as ingest:
        reply = await ingest.exchange(octets)
        assert ingest.sample("twoway_ingest_requests_total", way="none", status=str(status)) == 1
    assert (reply.status, reply.headers["connection"]) == (status, "close")


@pytest.mark.parametrize(
    ("octets", "limits", "status"),
    [
        pytest.param(b"GET /mo", Limits(head_seconds=0.01), 408, id="slow head"),
        pytest.param(
            b"POST /mo/http HTTP/1.1\r\nContent-Length: 9\r\n\r\nfrom",
            Limits(body_seconds=0.01),
            408,
            id="slow body",
        ),
        pytest.param(CALLBACK, Limits(requests=0), 503, id="too many requests"),
        pytest.param(CALLBACK, Limits(connections=0), 503, id="too many connections"),
        pytest.param(
            b"POST /mo/http HTTP/1.1\r\nContent-Length: 90\r\n\r\n" + b"x" * 50,
            Limits(octets=40),
            503,
            id="too much memory",
        ),
        pytest.param(b"GET /" + b"x" * 50, Limits(octets=40), 503, id="too much of a head"),
    ],
)
async def test_what_goes_beyond_the_limits(octets: bytes, limits: Limits, status: int) -> None:
    async with running(limits=limits) as ingest:
        reply = await ingest.exchange(octets)
    assert (reply.status, reply.headers["connection"]) == (status, "close")
    assert ("retry-after" in reply.headers) is (status == 503)
    assert ingest.publisher.published == []


async def test_an_idle_connection_is_closed() -> None:
    async with running(limits=Limits(idle_seconds=0.01)) as ingest:
        reader, writer = await asyncio.open_connection("127.0.0.1", ingest.port)
        assert await reader.read() == b""
        writer.close()


async def test_a_thousand_slow_clients_leave_room_for_others() -> None:
    _raise_file_limit()
    async with running() as ingest, AsyncExitStack() as stack:
        for _ in range(1000):
            _, writer = await asyncio.open_connection("127.0.0.1", ingest.port)
            stack.callback(StreamWriter.close, writer)
            writer.write(b"POST /mo/http HTTP/1.1\r\nContent-Length: 60000\r\n\r\nf")
        await _until(lambda: ingest.ingest.capacity.held_octets >= 1000)
        assert (await ingest.get("/mo/http?from=1&to=2")).status == 200
        assert ingest.sample("twoway_ingest_connections") >= 1000
        assert ingest.ingest.capacity.held_octets < 100_000


def _raise_file_limit() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def test_an_end_waits_for_the_request_under_way() -> None:
    publisher = FakePublisher(held=asyncio.get_running_loop().create_future())
    async with running(publisher=publisher) as ingest:
        idle_reader, idle_writer = await asyncio.open_connection("127.0.0.1", ingest.port)
        asked = asyncio.ensure_future(ingest.get("/mo/http?from=1&to=2"))
        await publisher.asked.wait()
        ending = asyncio.ensure_future(ingest.ingest.stop())
        assert await idle_reader.read() == b""
        assert not ending.done()
        assert publisher.held is not None
        publisher.held.set_result(True)
        reply = await asked
        await ending
        idle_writer.close()
    assert (reply.status, reply.headers["connection"]) == (200, "close")


async def test_a_taken_port_is_said() -> None:
    async with running() as ingest:
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{ingest.port}"):
            async with running(Settings(http_port=ingest.port)):
                raise AssertionError("it listened")


async def _answer(ingest: Running, target: str) -> int:
    return (await ingest.get(target)).status


@pytest.mark.parametrize(("acknowledges", "status"), [(True, 200), (False, 503)])
async def test_ready_is_what_kafka_is(*, acknowledges: bool, status: int) -> None:
    async with running(publisher=FakePublisher(acknowledges=acknowledges)) as ingest:
        assert await _answer(ingest, "/readyz") == status
        assert await _answer(ingest, "/healthz") == 200
        assert ingest.sample("twoway_ingest_kafka_reachable") == acknowledges
