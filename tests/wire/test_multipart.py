"""`multipart/form-data` is a form too; the octets of each part stay unchanged."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import Rejected
from pipeline.wire import http_form, xml
from pipeline.wire.callback import MoCallback
from tests.hostile.growth import refuse_steep_growth
from tests.support.guide_samples import GUIDE_XML

KIND = "multipart/form-data; boundary=x"


def _part(name: bytes, octets: bytes) -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n' % (name, octets)


ADDRESSES = _part(b"from", b"2") + _part(b"to", b"1")


def _parse(body: bytes, content_type: str = KIND, query: bytes = b""):
    return http_form.parse(query=query, body=body, content_type=content_type)


@given(st.binary().filter(lambda octets: b"--x" not in octets))
def test_the_octets_of_a_part_survive(octets):
    found = _parse(ADDRESSES + _part(b"text", octets) + b"--x--\r\n")
    assert isinstance(found, MoCallback)
    assert (found.handset, found.number, found.octets) == ("2", "1", octets)


@given(st.binary())
def test_what_another_implementation_writes_is_read(octets):
    files = {"from": (None, b"2"), "to": (None, b"1"), "text": ("a.txt", octets, "text/plain")}
    request = httpx.Request("POST", "http://x/", files=files)
    found = _parse(request.read(), request.headers["content-type"])
    assert isinstance(found, MoCallback)
    assert found.octets == octets


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        pytest.param(ADDRESSES + _part(b"text", b"a%41+b"), KIND, b"a%41+b", id="not-encoded"),
        pytest.param(
            ADDRESSES + _part(b"Text", b"a"), KIND.upper().replace("=X", "=x"), b"a", id="case"
        ),
        pytest.param(ADDRESSES, 'multipart/form-data; charset=x; boundary="x"', b"", id="quoted"),
        pytest.param(b"preamble\r\n" + ADDRESSES + b"--x--\r\nepilogue", KIND, b"", id="around"),
        pytest.param(
            ADDRESSES + _part(b"text", b"a") + _part(b"text", b""), KIND, b"a", id="empty"
        ),
        pytest.param(
            ADDRESSES + b"--x\r\nA: b\r\n\r\nc\r\n", KIND, b"", id="a-part-without-a-name"
        ),
        pytest.param(b"from=2&to=1&text=a", KIND, b"a", id="mislabelled"),
        pytest.param(b"from=2&to=1&text=a", "multipart/form-data", b"a", id="no-boundary"),
    ],
)
def test_a_form_of_another_kind_is_taken(body, content_type, text):
    end = b"--x--\r\n" if body.endswith(b"\r\n") else b""
    found = _parse(body + end, content_type)
    assert isinstance(found, MoCallback)
    assert (found.handset, found.number, found.octets) == ("2", "1", text)


def test_a_message_without_from_is_refused_and_a_trial_is_not():
    assert isinstance(_parse(_part(b"to", b"1")), Rejected)
    assert isinstance(_parse(_part(b"probe", b"1")), Rejected)  # it may be a message


def test_xml_comes_in_a_part_too():
    document = GUIDE_XML.partition(b"=")[2]
    expected = xml.parse(query=b"", body=GUIDE_XML, content_type="")
    found = xml.parse(query=b"", body=_part(b"data", document) + b"--x--", content_type=KIND)
    assert isinstance(expected, MoCallback)
    assert found == expected


@pytest.mark.parametrize(
    "piece",
    [
        b"\r\n--x",
        b"\r\n--x\r\n",
        b"--x\r\n\r\n",
        b"\r\n",
        _part(b"a", b""),
        b"a:b\r\n",
        b";",
        b'"',
        b"-",
    ],
    ids=repr,
)
def test_odd_multiparts_cost_linear_time(piece):
    def work(size):
        body = _part(b"from", piece * (size // len(piece)))
        kind = KIND + piece.decode() * (size // len(piece))
        return lambda: (_parse(body), _parse(body, kind))

    refuse_steep_growth(work, largest=1 << 17)


@given(st.binary(), st.text(max_size=40))
def test_arbitrary_octets_give_a_value(body, parameters):
    _parse(b"--x\r\n" + body)
    _parse(body, "multipart/form-data;" + parameters)
