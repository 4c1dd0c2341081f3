"""Status callbacks by HTTP, XML and SOAP, and receipts, as reports on an MT."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import Flag, MoRaw, Reason, Rejected, Source
from pipeline.wire.http_form import FORM
from pipeline.wire.smpp import deliver as smpp_deliver
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.deliver import DeliverSm
from pipeline.wire.smpp.pdu import Command, Pdu
from pipeline.wire.status import StatusReport, status_report_of
from pipeline.wire.ways import callback_from_raw
from tests.support.golden_rows import golden_rows

if TYPE_CHECKING:
    from collections.abc import Mapping

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
ID = "996f364775e24b8432f45d77da8eca47"
#: The example of the HTTP API 2.3.8, 4.3, with an apiMsgId of 32 hex digits.
EXAMPLE = {
    "api_id": "12345",
    "apiMsgId": ID,
    "cliMsgId": "abc123",
    "timestamp": "1218007814",
    "to": "279995631564",
    "from": "27833001171",
    "status": "003",
    "charge": "0.300000",
}
REPORT = StatusReport(
    handset="279995631564",
    gateway_message_id=ID,
    command_id="abc123",
    status="003",
    charge="0.300000",
    gateway_at=datetime(2008, 8, 6, 7, 30, 14, tzinfo=UTC),
    number="27833001171",
    api_id="12345",
)


def xml_of(variables: Mapping[str, str]) -> str:
    """The XML form of the callback (XML API 2.4.9)."""
    inside = "".join(f"<{name}>{value}</{name}>" for name, value in variables.items())
    return f'<?xml version="1.0"?><callback>{inside}</callback>'


def soap_of(variables: Mapping[str, str]) -> str:
    """The SOAP form of the callback: lower-case names, a status and a time that are integers."""
    types = {"api_id": "int", "timestamp": "int", "status": "int", "charge": "float"}
    inside = "\n".join(
        f'<{name.lower()} xsi:type="xsd:{types.get(name, "string")}">{value}</{name.lower()}>'
        for name, value in variables.items()
    )
    return (
        '<?xml version="1.0" encoding="ISO-8859-1"?>\n<SOAP-ENV:Envelope'
        ' SOAP-ENV:encodingStyle="http://schemas.xmlsoap.org/soap/encoding/"'
        ' xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsd="http://www.w3.org/2001/XMLSchema"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:tns="mt_callback">\n'
        f'<SOAP-ENV:Body>\n<tns:mt_callback xmlns:tns="mt_callback">\n{inside}\n'
        "</tns:mt_callback>\n</SOAP-ENV:Body>\n</SOAP-ENV:Envelope>"
    )


def raw_of(source: str, *, query: bytes = b"", body: bytes = b"", content_type: str = "") -> MoRaw:
    return MoRaw(
        source=source,
        received_at=NOON,
        method="POST" if body else "GET",
        content_type=content_type,
        query=query,
        octets=body,
    )


def requests(variables: Mapping[str, str]) -> dict[str, MoRaw]:
    """The same callback in every form that the documents name."""
    form = urlencode(variables).encode()
    shapes = {
        "http-get": raw_of(Source.STATUS_HTTP, query=form),
        "http-post": raw_of(Source.STATUS_HTTP, body=form, content_type=FORM),
    }
    for source, document in (
        (Source.STATUS_XML, xml_of(variables)),
        (Source.STATUS_SOAP, soap_of(variables)),
    ):
        data = b"data=" + quote(document).encode()
        shapes |= {
            f"{source}-get": raw_of(source, query=data),
            f"{source}-post": raw_of(source, body=data, content_type=FORM),
            f"{source}-bare": raw_of(source, body=document.encode(), content_type="text/xml"),
        }
    return shapes


SHAPES = tuple(requests(EXAMPLE))


@pytest.mark.parametrize("shape", SHAPES)
def test_the_documents_example_is_read_in_every_shape(shape: str) -> None:
    assert status_report_of(requests(EXAMPLE)[shape]) == REPORT


@pytest.mark.parametrize("shape", SHAPES)
def test_a_status_is_no_message(shape: str) -> None:
    assert callback_from_raw(requests(EXAMPLE)[shape]) is None


@given(order=st.permutations(list(EXAMPLE)), case=st.sampled_from([str, str.lower, str.upper]))
def test_variables_come_in_any_order_and_case(order: list[str], case: Any) -> None:
    for shape in requests({case(name): EXAMPLE[name] for name in order}).values():
        assert status_report_of(shape) == REPORT


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_absent_is_empty(shape: str) -> None:
    found = status_report_of(requests({"status": "004", "apiMsgId": ID})[shape])
    assert found == StatusReport(gateway_message_id=ID, status="004")


@pytest.mark.parametrize("source", [Source.STATUS_HTTP, Source.STATUS_XML, Source.STATUS_SOAP])
@pytest.mark.parametrize("query", [b"", b"trial=1"])
def test_a_trial_of_the_url_is_nothing(source: Source, query: bytes) -> None:
    assert status_report_of(raw_of(source, query=query)) is None


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(
            raw_of("status-http", query=b"apiMsgId=%4"), Reason.BROKEN_PERCENT_ENCODING, id="escape"
        ),
        pytest.param(
            raw_of("status-http", body=b'{"status":"004"}', content_type="application/json"),
            Reason.MISSING_TO,
            id="json",
        ),
        pytest.param(raw_of("status-xml", query=b"data=<callback>"), Reason.NOT_XML, id="cut"),
        pytest.param(raw_of("status-xml", query=b"data="), Reason.NOT_XML, id="empty"),
        pytest.param(
            raw_of("status-soap", query=urlencode(EXAMPLE).encode()), Reason.NOT_XML, id="a-form"
        ),
        pytest.param(
            raw_of("status-xml", query=b"data=<clickmo><to>1</to></clickmo>"),
            Reason.MISSING_TO,
            id="an-mo",
        ),
        pytest.param(
            raw_of("status-xml", query=b"data=<!DOCTYPE a><callback><to>1</to></callback>"),
            Reason.NOT_XML,
            id="doctype",
        ),
        pytest.param(raw_of("smpp", body=b"\0"), Reason.UNREADABLE_RECORD, id="no-pdu"),
    ],
)
def test_what_cannot_be_read_at_all_is_refused(raw: MoRaw, reason: Reason) -> None:
    found = status_report_of(raw)
    assert isinstance(found, Rejected)
    assert found.reason == reason


@pytest.mark.parametrize(
    ("given_status", "status"),
    [
        ("003", "003"),
        ("3", "003"),
        ("004 ", "004"),
        ("0014", "014"),
        ("14", "014"),
        ("999", "999"),
        ("0x004", ""),
        ("DELIVRD", ""),
        ("1234", ""),
        ("", ""),
        ("٣", ""),
    ],
)
def test_a_status_has_three_digits_or_is_none(given_status: str, status: str) -> None:
    for shape, raw in requests(EXAMPLE | {"status": given_status}).items():
        if given_status.isascii() or "http" in shape:
            found = status_report_of(raw)
            assert isinstance(found, StatusReport)
            assert found.status == status
            assert bool(found.words) == (not status)


@pytest.mark.parametrize(
    ("given_time", "at"),
    [
        ("1218007814", REPORT.gateway_at),
        ("0", None),
        ("-1", None),
        ("1218007814000", None),
        ("99999999999", datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        ("2008-08-06 09:30:14", None),
        ("1e9", None),
    ],
)
def test_a_time_is_seconds_since_1970_or_flagged(given_time: str, at: datetime | None) -> None:
    for raw in requests(EXAMPLE | {"timestamp": given_time}).values():
        found = status_report_of(raw)
        assert isinstance(found, StatusReport)
        assert found.gateway_at == at
        assert found.flags == (() if at else (Flag.TIMESTAMP_UNREADABLE,))


@pytest.mark.parametrize(
    ("given_charge", "charge"),
    [("0.300000", "0.300000"), ("1", "1"), ("3.0E-1", "3.0E-1"), ("0.3333333", ""), ("NaN", "")],
)
def test_a_charge_is_an_exact_amount_or_left_out(given_charge: str, charge: str) -> None:
    for raw in requests(EXAMPLE | {"charge": given_charge}).values():
        found = status_report_of(raw)
        assert isinstance(found, StatusReport)
        assert found.charge == charge
        assert (given_charge in found.words) == (not charge)


@pytest.mark.parametrize("name", ["apiMsgId", "cliMsgId"])
@pytest.mark.parametrize("unusable", ["a" * 65, "a b", "a\x00b", "ä"])
def test_an_id_that_can_be_none_is_left_out(name: str, unusable: str) -> None:
    query = urlencode(EXAMPLE | {name: unusable}).encode()
    found = status_report_of(raw_of(Source.STATUS_HTTP, query=query))
    assert isinstance(found, StatusReport)
    field = {"apiMsgId": found.gateway_message_id, "cliMsgId": found.command_id}[name]
    assert field == ""
    assert unusable not in found.words


def test_what_took_a_repair_is_flagged() -> None:
    document = xml_of(EXAMPLE | {"from": "caf\xe9"}).encode("latin-1")
    found = status_report_of(raw_of(Source.STATUS_XML, body=document, content_type="text/xml"))
    assert isinstance(found, StatusReport)
    assert (found.number, found.flags) == ("café", (Flag.REPAIRED,))


def test_the_blank_that_the_guides_soap_lacks_is_put_in_unflagged() -> None:
    document = soap_of(EXAMPLE).replace('" xmlns:xsd', '"xmlns:xsd')
    found = status_report_of(
        raw_of(Source.STATUS_SOAP, body=document.encode(), content_type="text/xml")
    )
    assert found == REPORT


def pdu_of(esm_class: int, text: str) -> MoRaw:
    deliver = DeliverSm(
        source="+279995631564",
        destination="27833001171",
        esm_class=esm_class,
        short_message=text.encode("latin-1"),
    )
    body = smpp_deliver.render(deliver)
    return raw_of("smpp", body=smpp_pdu.render(Pdu(Command.DELIVER_SM, 0, 1, body)))


@pytest.mark.parametrize("row", golden_rows("dlr"))
def test_golden_status(row: dict[str, Any]) -> None:
    given_in = row["input"]
    if "query" in given_in:
        found = status_report_of(raw_of(Source.STATUS_HTTP, query=given_in["query"].encode()))
    else:
        found = status_report_of(pdu_of(given_in.get("esm_class", 4), given_in["short_message"]))
    assert isinstance(found, StatusReport)
    expected, ours = row["expected"], row["ours"]
    at = found.gateway_at.isoformat().replace("+00:00", "Z") if found.gateway_at else None
    shown = {name: getattr(found, name) for name in found.__struct_fields__} | {"gateway_at": at}
    assert {name: shown[name] for name in ours if name != "because"} == {
        name: value for name, value in ours.items() if name != "because"
    }
    # What the source itself says comes out.
    said = expected.get("msgid") or expected.get("id")
    if said is not None:
        assert found.gateway_message_id == said
    if "status_code" in expected:
        assert int(found.status) == expected["status_code"]
    if "charge" in expected:
        assert float(found.charge) == expected["charge"]
    if expected.get("stat") == "DELIVRD" or expected.get("status") == "delivered":
        assert found.status == "004"


def test_a_receipt_comes_from_its_handset() -> None:
    found = status_report_of(pdu_of(0x04, f"id:{ID} stat:DELIVRD err:000"))
    assert isinstance(found, StatusReport)
    assert (found.handset, found.number, found.source) == ("279995631564", "27833001171", "receipt")
    assert found.gateway_message_id == ID


@pytest.mark.parametrize("esm_class", [0x00, 0x40, 0x08, 0x10])
def test_a_deliver_sm_that_is_a_message_reports_nothing(esm_class: int) -> None:
    assert status_report_of(pdu_of(esm_class, f"id:{ID} stat:DELIVRD")) is None
