"""One part by several ways has one effect."""

from __future__ import annotations

import httpx
import pytest

from pipeline.wire import mo_log, soap, xml

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
def test_one_part_by_every_way_is_one_message(outside, handset, tmp_path, text, charset):
    encoding = {"ISO-8859-1": "latin-1", "UTF-16BE": "utf-16-be"}[charset]
    part = outside.callback(handset, text.encode(encoding), charset=charset)
    _post(outside, "xml", xml.render(part))
    outside.deliver(part)
    _post(outside, "soap", soap.render(part))
    log = tmp_path / "mo.log"
    log.write_bytes(mo_log.render(part) + b"\r\n\tno number\r\n" + mo_log.render(part)[:20])
    said = outside.running.cli("import", str(log))
    assert said.stdout == "1 lines taken, 1 refused\n"
    assert "the last 20 octets are no line yet" in said.stderr
    outside.text(handset, "after them")  # a handset's records come in order
    rows = outside.rows("mo_message", handset, at_least=2, order="received_at")
    assert [(row["text"], row["source"]) for row in rows] == [(text, "xml"), ("after them", "http")]
