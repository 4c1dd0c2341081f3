"""One part by several ways has one effect."""

from __future__ import annotations

import shutil
import subprocess

import httpx
import pytest

from pipeline.wire import http_form, mo_log, soap, xml

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
    log.write_bytes(mo_log.render(part) + b"\r\n\tno number\r\n")
    said = outside.running.cli("import", str(log))
    assert said.stdout == "1 lines taken, 1 refused\n"
    outside.text(handset, "after them")  # a handset's records come in order
    rows = outside.rows("mo_message", handset, at_least=2, order="received_at")
    assert [(row["text"], row["source"]) for row in rows] == [(text, "xml"), ("after them", "http")]


TAKEN = "taken\n200"
FIELDS = [
    *(("timestamp", "timestamp"), ("moMsgId", "mo_msg_id"), ("from", "handset"), ("to", "number")),
    *(("api_id", "api_id"), ("charset", "charset")),
]


def test_what_curl_sends_by_every_way_is_one_message(outside, handset, tmp_path):
    """An HTTP client that is not ours, with its own escapes, chunks and versions."""
    curl = shutil.which("curl") or pytest.skip("there is no curl: apt install curl")
    text = "100% café + <b> & £5"
    part = outside.callback(handset, text.encode("latin-1"))
    clickmo, envelope = tmp_path / "clickmo.xml", tmp_path / "envelope.xml"
    for file, way in ((clickmo, xml), (envelope, soap)):
        file.write_bytes(way.render(part).partition(b"=")[2])
    encoded = http_form.render(part).decode().split("&")
    given = [("--data-urlencode", f"{name}={getattr(part, field)}") for name, field in FIELDS]
    # curl would encode the text as UTF-8.
    given.append(("--data-raw", next(pair for pair in encoded if pair.startswith("text="))))
    fields = [word for words in given for word in words]
    base = f"{outside.ingest}/mo"
    calls = {
        "form": [f"{base}/http", *fields],
        "query": [f"{base}/http", "--get", *fields],
        "old": [f"{base}/http", "--http1.0", *fields],
        "xml": [f"{base}/xml", "--data-urlencode", f"data@{clickmo}"],
        "xml-query": [f"{base}/xml", "--get", "--data-urlencode", f"data@{clickmo}"],
        "xml-literal": [f"{base}/xml", "--data-binary", xml.render(part).decode()],
        "xml-bare": [f"{base}/xml", "-H", "Content-Type: text/xml", "-T", str(clickmo), "-XPOST"],
        "soap": [f"{base}/soap", "--data-urlencode", f"Data@{envelope}"],
        "soap-query": [f"{base}/soap", "--get", "--data-urlencode", f"data@{envelope}"],
        "soap-chunked": [
            *(f"{base}/soap", "-H", "Transfer-Encoding: chunked", "-H", "Expect: 100-continue"),
            *("-H", "Content-Type: text/xml", "--data-binary", f"@{envelope}"),
        ],
    }
    answers = {
        name: subprocess.run(
            [curl, "--silent", "--show-error", "--retry", "9", "-w", "%{http_code}", *words],
            capture_output=True,
            text=True,
            check=True,
        ).stdout[-len(TAKEN) :]  # after what a busy machine was answered before
        for name, words in calls.items()
    }
    assert answers == dict.fromkeys(calls, TAKEN)
    outside.text(handset, "after them")
    rows = outside.rows("mo_message", handset, at_least=2, order="received_at")
    assert [(row["text"], row["source"]) for row in rows] == [
        (text, "http"),
        ("after them", "http"),
    ]
    (count,) = outside.sql("SELECT count() AS n FROM mo_raw WHERE handset = {h:String}", h=handset)
    assert count["n"] > len(calls)
