"""Every source has its parser, or is refused."""

import msgspec
import pytest

from pipeline.records import Reason, Rejected, Source
from pipeline.wire import soap, xml
from pipeline.wire.ways import callback_from_raw
from tests.support.mo import callback, raw


@pytest.mark.parametrize("in_form", [False, True])
def test_http_is_read_from_query_and_form(in_form):
    given_callback = callback("a")
    event = raw(b"from=27821234567&to=447700900123&text=a")
    if in_form:
        event = msgspec.structs.replace(event, octets=event.query, query=b"")
    assert callback_from_raw(event) == given_callback


@pytest.mark.parametrize(("source", "way"), [(Source.XML, xml), (Source.SOAP, soap)])
def test_xml_and_soap_are_read(source, way):
    given_callback = callback("a", charset="ISO-8859-1")
    event = msgspec.structs.replace(raw(b"", source=source), octets=way.render(given_callback))
    assert callback_from_raw(event) == given_callback


def test_a_source_nothing_reads_is_refused():
    found = callback_from_raw(raw(b"from=1&to=2", source="pigeon"))
    assert isinstance(found, Rejected)
    assert found.reason == Reason.UNREADABLE_RECORD
    assert "pigeon" in found.words
