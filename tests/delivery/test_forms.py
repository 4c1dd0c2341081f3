"""The guide's forms: an application written for the gateway reads ours just so.

What is expected are captures of the real gateway and the guide's own samples, read by the standard
library and not by our parsers.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes
from xml.etree import ElementTree as ET

import pytest

from pipeline.delivery.forms import NotHandedOn, callback_of, event_of, form_of, line_of
from pipeline.records import MoPart, ReplyPath
from tests.store.samples import SAMPLES
from tests.support.delivering import message

GOLDEN = Path(__file__).parents[1] / "golden"
SOAP_BODY = "{http://schemas.xmlsoap.org/soap/envelope/}Body"


def path_by(way: str, **fields: Any) -> ReplyPath:
    given: dict[str, Any] = {
        "name": "crm",
        "way": way,
        "url": "http://127.0.0.1/",
        "unit": "part",
        "charset": "original",
        "ordered": False,
        "events": [],
        "internal": False,
        "tls": "on",
        "window": 16,
        "timeout_seconds": 15,
        "rotate_megabytes": 0,
    }
    return ReplyPath(**given | fields)


def part(**fields: Any) -> MoPart:
    given: dict[str, Any] = {
        "part_id": "1" * 32,
        "handset": "279991235642",
        "number": "27123456789",
        "api_id": "12345",
        "mo_msg_id": "b2aee337abd962489b123fda9c3480fa",
        "source": "http",
        "gateway_time": datetime(2008, 8, 6, 7, 43, 50, tzinfo=UTC),
        "received_at": datetime(2008, 8, 6, 7, 43, 51, tzinfo=UTC),
        "charset": "ISO-8859-1",
        "charset_given": "ISO-8859-1",
        "octets": b"Here is the message text",
        "udh": b"",
        "reference_bits": 0,
        "reference": 0,
        "parts_total": 1,
        "part_number": 1,
        "network_id": "",
        "flags": [],
        "raw_partition": 0,
        "raw_offset": 0,
    }
    return MoPart(**given | fields)


def captures() -> list[Any]:
    """Queries of the real gateway, with what they mean."""
    found = []
    for line in (GOLDEN / "clickatell_mo_http.jsonl").read_text().splitlines():
        row = json.loads(line)
        query = row["input"].get("query") or row["input"].get("body")
        expected = row.get("expected", {})
        wanted = {"src", "dst", "received_utc"}
        is_whole = {"api_id", "moMsgId", "charset", "text", "udh"} <= variables(query or "").keys()
        if is_whole and wanted <= {name for name, value in expected.items() if value}:
            found.append(pytest.param(query, expected, id=row["id"]))
    return found


def variables(query: str) -> dict[str, bytes]:
    pairs = (pair.partition("=") for pair in query.split("&"))
    return {name: unquote_to_bytes(value.replace("+", " ")) for name, _, value in pairs}


@pytest.mark.parametrize(("query", "expected"), captures())
def test_a_part_goes_out_as_the_gateway_sent_it(query: str, expected: dict[str, Any]) -> None:
    sent = variables(query)
    time = datetime.strptime(expected["received_utc"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    handed_on = form_of(
        path_by("http-get"),
        part(
            handset=expected["src"],
            number=expected["dst"],
            api_id=sent["api_id"].decode(),
            mo_msg_id=sent["moMsgId"].decode(),
            gateway_time=time,
            charset=sent["charset"].decode(),
            octets=sent["text"],
            udh=bytes.fromhex(sent.get("udh", b"").decode()),
        ),
    )
    assert variables(handed_on.decode()) == {"udh": b""} | sent


def test_there_are_captures() -> None:
    assert captures()


def test_xml_has_the_elements_of_the_guide_in_its_order() -> None:
    """G8.3.4, whose sample misprints the id's element: captures have moMsgId."""
    name, value = parse_qsl(form_of(path_by("xml-post"), part(octets=b"a<b&c")).decode())[0]
    assert name == "data"
    root = ET.fromstring(value)  # noqa: S314 - ours
    assert root.tag == "clickmo"
    assert [(each.tag, each.text) for each in root] == [
        ("api_id", "12345"),
        ("moMsgId", "b2aee337abd962489b123fda9c3480fa"),
        ("from", "279991235642"),
        ("to", "27123456789"),
        ("timestamp", "2008-08-06 09:43:50"),
        ("text", "a<b&c"),
        ("charset", "ISO-8859-1"),
        ("udh", None),
    ]


def test_soap_has_the_elements_of_the_guide() -> None:
    """G8.3.5: `Data=`, an envelope, `momsgid`."""
    name, value = parse_qsl(form_of(path_by("soap-post"), part()).decode())[0]
    assert name == "Data"
    (body,) = ET.fromstring(value)  # noqa: S314 - ours
    (callback,) = body
    assert body.tag == SOAP_BODY
    assert callback.tag == "{clickatell_mo}mo_callback"
    assert {each.tag: each.text for each in callback} == {
        "api_id": "12345",
        "from": "279991235642",
        "to": "27123456789",
        "timestamp": "2008-08-06 09:43:50",
        "charset": "ISO-8859-1",
        "udh": None,
        "text": "Here is the message text",
        "momsgid": "b2aee337abd962489b123fda9c3480fa",
    }


@pytest.mark.parametrize("way", ["xml-post", "soap-get"])
@pytest.mark.parametrize(
    ("octets", "charset", "text"),
    [
        pytest.param(b"a\x00b", "ISO-8859-1", "a\ufffdb", id="a control character"),
        pytest.param(b"\xd8\x3d\x00a", "UTF-16BE", "\ufffda", id="half a surrogate pair"),
        pytest.param(b"\x00a\x00", "UTF-16BE", "a\ufffd", id="an odd octet"),
    ],
)
def test_what_xml_cannot_hold_is_replaced_and_never_given_up_for(
    way: str, octets: bytes, charset: str, text: str
) -> None:
    _, value = parse_qsl(form_of(path_by(way), part(octets=octets, charset=charset)).decode())[0]
    root = ET.fromstring(value)  # noqa: S314 - ours
    assert [each.text for each in root.iter("text")] == [text]
    assert [each.text for each in root.iter("charset")] == ["UTF-16BE"]


def test_a_line_of_the_log_has_the_fields_of_the_guide() -> None:
    """G8.3.2: date SP time, then tabs."""
    line = line_of(
        path_by("file"), part(octets=b"sample message1", udh=b"\x05\x00\x03\x33\x02\x01")
    )
    assert line.endswith(b"\n")
    fields = line[:-1].decode().split("\t")
    assert unquote_to_bytes(fields.pop(3).replace("+", " ")) == b"sample message1"
    assert fields == [
        "2008-08-06 09:43:50",
        "279991235642",
        "27123456789",
        "12345",
        "b2aee337abd962489b123fda9c3480fa",
        "ISO-8859-1",
        "050003330201",
    ]


def test_no_field_can_begin_a_line_of_its_own() -> None:
    """An originator is what somebody wrote."""
    line = line_of(path_by("file"), part(handset="a\tb\r\nc"))
    assert line.count(b"\n") == 1
    assert line.count(b"\t") == 7


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        pytest.param(
            {"text": "é", "octets": b"\xe9"},
            {"text": "é".encode(), "charset": b"UTF-8"},
            id="a text",
        ),
        pytest.param(
            {"text": "ff00", "octets": b"\xff\x00", "charset": "8-BIT"},
            {"text": b"\xff\x00", "charset": b"8-BIT"},
            id="binary stays so",
        ),
    ],
)
def test_texts_go_in_utf_8_where_the_path_says_so(
    fields: dict[str, Any], sent: dict[str, bytes]
) -> None:
    query = form_of(path_by("http-post", charset="utf-8"), message(**fields))
    assert variables(query.decode()).items() >= sent.items()


def test_a_whole_message_has_our_id_and_the_time_of_the_gateway_at_plus_two_hours() -> None:
    callback = callback_of(message("ab" * 16))
    assert (callback.mo_msg_id, callback.timestamp) == ("ab" * 16, "2026-03-01 14:00:00")


EVENTS = [each for each in SAMPLES if type(each).__name__ in ("MoMessage", "MoPart")]
EVENTS += [
    each for each in SAMPLES if type(each).__name__ in ("ConsentChange", "MtState", "MtRejection")
]


@pytest.mark.parametrize("record", EVENTS, ids=lambda each: type(each).__name__)
def test_an_event_says_what_it_is_when_it_was_and_all_of_the_record(record: Any) -> None:
    event = json.loads(event_of(record))
    assert set(event) == {"type", "timestamp", "data"}
    assert set(event["data"]) == set(record.__struct_fields__)
    when = datetime.fromisoformat(event["timestamp"])
    assert when.utcoffset() == timedelta(0)


def test_a_record_that_is_no_event_is_refused() -> None:
    numbers = next(each for each in SAMPLES if type(each).__name__ == "Numbers")
    with pytest.raises(NotHandedOn):
        event_of(numbers)
    with pytest.raises(NotHandedOn):
        form_of(path_by("http-get"), numbers)
