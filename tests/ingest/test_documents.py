"""XML and SOAP at the running ingest: the octets go on as they came."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.records import DeadLetter, MoRaw
from pipeline.topics import DEAD_LETTER, MO_RAW
from pipeline.wire import soap, xml
from tests.ingest.support import running
from tests.mo import HANDSET, callback

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


@pytest.mark.parametrize("name", ["xml", "soap"])
async def test_the_url_may_be_tried(name: str) -> None:
    async with running() as ingest:
        assert (await ingest.get(f"/mo/{name}")).status == 200
    assert ingest.publisher.published == []
