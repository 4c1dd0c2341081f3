"""Hostile status callbacks: nothing raises, and nothing takes long."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import Rejected, Source
from pipeline.wire.http_form import FORM
from pipeline.wire.status import StatusReport, status_report_of
from tests.hostile.growth import refuse_steep_growth
from tests.wire.status.test_reports import raw_of


@given(
    source=st.sampled_from(list(Source)),
    query=st.binary(max_size=200),
    body=st.binary(max_size=200),
    content_type=st.sampled_from(["", FORM, "text/xml", "multipart/form-data; boundary=x"]),
)
def test_no_octets_raise(source: Source, query: bytes, body: bytes, content_type: str) -> None:
    found = status_report_of(raw_of(source, query=query, body=body, content_type=content_type))
    assert found is None or isinstance(found, StatusReport | Rejected)


@pytest.mark.parametrize("piece", [b"status=1&", b"%61piMsgId=%41&", b"to=+1&", b"&"])
def test_a_form_takes_time_in_line_with_its_length(piece: bytes) -> None:
    refuse_steep_growth(
        lambda n: partial(status_report_of, raw_of(Source.STATUS_HTTP, query=piece * n)),
        largest=8_000,
    )


@pytest.mark.parametrize("piece", [b"<to>1</to>", b"<a ", b"<!--", b"&#55357;&#56832;"])
def test_xml_takes_time_in_line_with_its_length(piece: bytes) -> None:
    refuse_steep_growth(
        lambda n: partial(
            status_report_of,
            raw_of(Source.STATUS_SOAP, body=b"<callback>" + piece * n, content_type="text/xml"),
        ),
        largest=4_000,
    )


@pytest.mark.parametrize(
    "value", [b"0" * 60_000, b"9" * 60_000, b"1e" + b"9" * 60_000, b"." * 60_000]
)
@pytest.mark.parametrize("name", [b"status", b"charge", b"timestamp", b"apiMsgId", b"to"])
def test_a_long_value_is_no_long_work(name: bytes, value: bytes) -> None:
    found = status_report_of(raw_of(Source.STATUS_HTTP, query=name + b"=" + value))
    assert isinstance(found, StatusReport)
    assert len(found.words) < 200
