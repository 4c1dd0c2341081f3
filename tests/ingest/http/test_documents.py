"""XML and SOAP at the running ingest: their octets are published unchanged."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.kafka.topics import DEAD_LETTER, MO_RAW
from pipeline.records import DeadLetter, MoRaw
from pipeline.wire import soap, xml
from tests.ingest.http.support import running
from tests.support.mo import HANDSET, callback

WAYS = [("xml", xml), ("soap", soap)]


@pytest.mark.parametrize(("name", "way"), WAYS)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_document_is_taken_undecoded(method: str, name: str, way: Any) -> None:
    document = way.render(callback("a & b"))
    document = document.replace(b"\n", b" ")  # a target is one line
    async with running() as ingest:
        if method == "GET":
            reply = await ingest.get(b"/mo/%b?%b" % (name.encode(), document))
        else:
            reply = await ingest.post(f"/mo/{name}", document)
    assert reply.status == 200
    [(topic, key, raw)] = ingest.publisher.published
    assert isinstance(raw, MoRaw)
    assert (topic, key, raw.source) == (MO_RAW, HANDSET.encode(), name)
    assert raw.query + raw.octets == document


@pytest.mark.parametrize(("name", "way"), WAYS)
async def test_what_is_not_xml_is_kept(name: str, way: Any) -> None:
    body = b"data=<!DOCTYPE a><clickmo/>"
    async with running() as ingest:
        reply = await ingest.post(f"/mo/{name}", body)
    assert reply.status == 400
    [letter] = ingest.publisher.of(DEAD_LETTER)
    assert isinstance(letter, DeadLetter)
    assert (letter.source, letter.reason, letter.octets) == (name, "not-xml", body)


HOSTILE = [
    pytest.param(b'<!DOCTYPE a [<!ENTITY b "c">]><clickmo><text>&b;</text></clickmo>', id="entity"),
    pytest.param(
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/hostname">]><clickmo>&b;</clickmo>', id="file"
    ),
    pytest.param(b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><clickmo/>', id="external-dtd"),
    pytest.param(
        b'<!DOCTYPE a [<!ENTITY % b SYSTEM "http://127.0.0.1:9/">%b;]><clickmo/>', id="parameter"
    ),
    pytest.param(b"<a>" * 20_000, id="deep"),
    pytest.param(b"<clickmo b='" + b"c" * 1_000_000 + b"'/>", id="attribute-of-1-MB"),
    pytest.param(b"<clickmo " + b" ".join(b"a%d=''" % at for at in range(6_000)), id="attributes"),
]


@pytest.mark.parametrize("document", HOSTILE)
@pytest.mark.parametrize("name", ["xml", "soap"])
@pytest.mark.parametrize("is_bare", [True, False], ids=["bare", "data"])
async def test_what_is_hostile_is_400_and_kept(name: str, document: bytes, is_bare: bool) -> None:
    body = document if is_bare else b"data=" + document
    async with running() as ingest:
        reply = await ingest.post(f"/mo/{name}", body)
        assert (await ingest.get("/mo/http?from=1&to=2")).status == 200
    assert reply.status == 400
    [letter] = ingest.publisher.of(DEAD_LETTER)
    assert isinstance(letter, DeadLetter)
    assert letter.octets == body[: ingest.ingest.limits.body_octets]
    is_whole = len(letter.octets) == len(body)
    assert (letter.source, letter.reason) == (name, "not-xml" if is_whole else "too-long")


@pytest.mark.parametrize("name", ["xml", "soap"])
async def test_the_url_may_be_tried(name: str) -> None:
    async with running() as ingest:
        assert (await ingest.get(f"/mo/{name}")).status == 200
    assert ingest.publisher.published == []
