"""One part by several ways has one effect (SPEC 3)."""

from __future__ import annotations

import httpx
import pytest

from pipeline.wire import soap, xml

pytestmark = [pytest.mark.broker, pytest.mark.timeout(240)]


def _post(outside, name: str, body: bytes | None) -> None:
    answer = httpx.post(
        f"{outside.ingest}/mo/{name}",
        content=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("text", "charset"), [("Two £5 tickets", "ISO-8859-1"), ("طلبي \U0001f600", "UTF-16BE")]
)
def test_one_part_by_http_xml_and_soap_is_one_message(outside, handset, text, charset):
    encoding = {"ISO-8859-1": "latin-1", "UTF-16BE": "utf-16-be"}[charset]
    part = outside.callback(handset, text.encode(encoding), charset=charset)
    _post(outside, "xml", xml.render(part))
    outside.deliver(part)
    _post(outside, "soap", soap.render(part))
    outside.text(handset, "after them")  # a handset's records come in order
    rows = outside.rows("mo_message", handset, at_least=2, order="received_at")
    assert [(row["text"], row["source"]) for row in rows] == [(text, "xml"), ("after them", "http")]
