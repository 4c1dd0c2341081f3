"""Arbitrary octets at the running ingest: a valid answer, nothing lost, nothing changed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.kafka.topics import DEAD_LETTER, MO_RAW
from pipeline.records import DeadLetter, MoRaw
from tests.ingest.http.support import running
from tests.support.golden_rows import golden_rows

IN_A_LINE = st.binary(max_size=200).map(lambda octets: octets.translate(None, b"\r\n"))
VARIABLES = st.sampled_from(
    [
        b"from",
        b"to",
        b"text",
        b"udh",
        b"charset",
        b"timestamp",
        b"moMsgId",
        b"api_id",
        b"f%72om",
        b"",
    ]
)
PAIRS = st.lists(st.tuples(VARIABLES, IN_A_LINE), max_size=8).map(
    lambda pairs: b"&".join(name + b"=" + value for name, value in pairs)
)
CONTENT_TYPES = st.sampled_from(
    ["", "application/x-www-form-urlencoded", "text/xml", "multipart/form-data; boundary=x", "é;"]
)


def kept(published: list[tuple[str, bytes | None, object]]) -> tuple[bytes, bytes]:
    """Query and body of the one record, in whichever topic it is."""
    [(topic, _, record)] = published
    if isinstance(record, MoRaw):
        assert topic == MO_RAW
        return record.query, record.octets
    assert isinstance(record, DeadLetter)
    assert topic == DEAD_LETTER
    return {header.name: header.value for header in record.headers}["query"], record.octets


@given(query=st.one_of(PAIRS, IN_A_LINE), body=st.one_of(PAIRS, st.binary()), kind=CONTENT_TYPES)
async def test_a_callback_of_any_octets(query: bytes, body: bytes, kind: str) -> None:
    async with running() as ingest:
        head = b"POST /mo/http?%b HTTP/1.1\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n" % (
            query,
            kind.encode("latin-1"),
            len(body),
        )
        reply = await ingest.exchange(head + body)
        assert ingest.sample("twoway_ingest_failures_total") == 0
    assert reply.status in (200, 400)
    if reply.status == 400 or ingest.publisher.published:
        assert kept(ingest.publisher.published) == (query, body)


@given(body=st.one_of(st.binary(), st.text().map(str.encode)), key=st.binary(max_size=40))
async def test_a_request_for_an_mt_of_any_octets(body: bytes, key: bytes) -> None:
    async with running() as ingest:
        key = key.translate(None, b"\r\n\x00")
        head = b"POST /mt HTTP/1.1\r\nIdempotency-Key: %b\r\nContent-Length: %d\r\n\r\n"
        reply = await ingest.exchange(head % (key, len(body)) + body)
        assert ingest.sample("twoway_ingest_failures_total") == 0
    assert reply.status in (202, 400)


@given(octets=st.binary(min_size=1), path=st.booleans())
@settings(max_examples=50)
async def test_a_connection_of_any_octets(octets: bytes, path: bool) -> None:
    async with running() as ingest:
        reader, writer = await asyncio.open_connection("127.0.0.1", ingest.port)
        writer.write(b"GET /" + octets + b" HTTP/1.1\r\n\r\n" if path else octets)
        writer.write_eof()
        answered = await reader.read()
        writer.close()
        assert ingest.sample("twoway_ingest_failures_total") == 0
    assert not answered or answered.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in answered.split(b"\r\n")[0]


def _is_a_request(row: Any) -> bool:
    return bool({"query", "body"} & set(row.values[0]["input"]))


@pytest.mark.parametrize("row", [*filter(_is_a_request, golden_rows("clickatell_mo_http"))])
async def test_a_golden_callback_is_taken_untouched(row: dict[str, dict[str, str]]) -> None:
    given_ = row["input"]
    query, body = given_.get("query", "").encode(), given_.get("body", "").encode()
    async with running() as ingest:
        if body:
            reply = await ingest.post(f"/mo/http?{query.decode()}", body)
        else:
            reply = await ingest.get(b"/mo/http?" + query)
    assert reply.status == (400 if row.get("ours", {}).get("rejected") else 200)
    assert kept(ingest.publisher.published) == (query, body)
