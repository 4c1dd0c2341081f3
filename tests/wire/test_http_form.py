"""The HTTP callback (G8.3.1), from the octets of the request."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import MoPart, MoRaw, Reason, Rejected
from pipeline.sms.charset import text_from_octets
from pipeline.sms.timestamp import time_from_gateway
from pipeline.stages.parts.normalise import normalise
from pipeline.wire.callback import MoCallback
from pipeline.wire.http_form import FORM, parse, render
from tests.support.golden_rows import golden_rows
from tests.support.mo import DIRECTORY, NOON, callback


def _parse(query: bytes = b"", body: bytes = b"", content_type: str = FORM):
    return parse(query=query, body=body, content_type=content_type)


def _request_of_row(row: dict) -> tuple[bytes, bytes, str]:
    """Query, body and content type of a golden row."""
    given_in = row["input"]
    if "description" in given_in:  # mo-http-022: a request lacking udh and charset
        return b"api_id=12345&from=27999&to=27123&timestamp=2008-08-06+09%3A43%3A50&text=x", b"", ""
    if "params" in given_in:
        return urlencode(given_in["params"]).encode(), b"", ""
    if "json_text" in given_in:
        return b"", given_in["json_text"].encode(), "application/json"
    return given_in.get("query", "").encode(), given_in.get("body", "").encode(), FORM


@pytest.mark.parametrize(
    "row", golden_rows("clickatell_mo_http") + golden_rows("clickatell_mo_platform_json")
)
def test_golden_request(row):
    query, body, content_type = _request_of_row(row)
    ours, expected = row.get("ours", {}), row.get("expected", {})
    found = parse(query=query, body=body, content_type=content_type)
    if "rejected" in ours:
        assert isinstance(found, Rejected)
        assert found.reason == ours["rejected"]
        return
    assert isinstance(found, MoCallback)
    raw = MoRaw(
        source="http",
        received_at=time_from_gateway(found.timestamp) or NOON,
        method="",
        content_type=content_type,
        query=query,
        octets=body,
    )
    part = normalise(raw, partition=0, offset=0, directory=DIRECTORY, default_charset="ISO-8859-1")
    assert isinstance(part, MoPart)
    ours_of = {
        "mo_msg_id": part.mo_msg_id,
        "src": part.handset,
        "dst": part.number,
        "api_id": part.api_id,
        "charset": part.charset_given,
        "udh": part.udh.hex(),
        "text": text_from_octets(part.octets, part.charset)[0],
        "received_utc": f"{part.gateway_time:%Y-%m-%d %H:%M:%S}",
    }
    assert {name: ours_of[name] for name in expected if name in ours_of} == {
        name: value for name, value in expected.items() if name in ours_of
    }
    if "gateway_time_utc" in ours:
        assert ours_of["received_utc"] == ours["gateway_time_utc"]


def test_the_capture_is_rendered_back_octet_for_octet():
    (row,) = (p.values[0] for p in golden_rows("clickatell_mo_http") if p.id == "mo-http-001")
    query = row["input"]["query"].encode()
    assert render(_parse(query)) == query


def test_an_alphanumeric_originator_is_taken():
    """The originator of mo-json-004, which its source refuses, by our way in."""
    assert _parse(b"from=MTN&to=1").handset == "MTN"


@pytest.mark.parametrize(
    ("query", "body", "fields"),
    [
        pytest.param(b"text=a&to=1&from=2", b"", {"octets": b"a"}, id="any-order"),
        pytest.param(b"", b"from=2&to=1&text=a", {"octets": b"a"}, id="form"),
        pytest.param(b"from=2&text=q", b"to=1&text=f", {"octets": b"f"}, id="both-form-wins"),
        pytest.param(b"from=2&to=1&text=a&text=b", b"", {"octets": b"b"}, id="the-last-counts"),
        pytest.param(b"from=2&to=1&from=&to=", b"from=", {}, id="an-empty-one-hides-nothing"),
        pytest.param(b"from=2&to=1", b"", {"octets": b""}, id="absent-text-is-empty"),
        pytest.param(b"from=2&to=1&text", b"", {"octets": b""}, id="text-without-equals"),
        pytest.param(b"from=2&to=1&text=a=b=c", b"", {"octets": b"a=b=c"}, id="equals-in-text"),
        pytest.param(b"from=2&to=1&udh=", b"", {"udh": ""}, id="bare-udh"),
        pytest.param(b"&&from=2&&to=1&", b"", {}, id="empty-pairs"),
        pytest.param(b"from=2&to=1&moMsgld=x", b"", {"mo_msg_id": "x"}, id="G8.3.2-misprint"),
        pytest.param(b"from=2&to=1&momsgid=x", b"", {"mo_msg_id": "x"}, id="G8.3.5-lower-case"),
        pytest.param(b"From=2&TO=1&Api_Id=7", b"", {"api_id": "7"}, id="any-case"),
        pytest.param(b"from=2&to=1&api%5Fid=7", b"", {"api_id": "7"}, id="encoded-name"),
        pytest.param(b"from=2&to=1&x=%zz&%zz=1", b"", {}, id="unknown-ones-are-not-looked-at"),
        pytest.param(b"from=2&to=1&network_id=9", b"", {"network_id": ""}, id="network-id-is-ftp"),
        pytest.param(
            b"from=2&to=1&text=%d8%3d%DE%00", b"", {"octets": b"\xd8\x3d\xde\x00"}, id="octets"
        ),
        pytest.param(b"from=2&to=1&text=\xe9", b"", {"octets": b"\xe9"}, id="octets-not-escaped"),
        pytest.param(b"from=2&to=1&charset=%C3%A9", b"", {"charset": "é"}, id="utf-8-field"),
        pytest.param(b"from=2&to=1&charset=%E9", b"", {"charset": "é"}, id="latin-1-field"),
    ],
)
def test_a_request_is_taken(query, body, fields):
    found = _parse(query, body)
    assert isinstance(found, MoCallback)
    assert (found.handset, found.number) == ("2", "1")
    assert {name: getattr(found, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("query", "body", "content_type", "reason"),
    [
        pytest.param(b"to=1&text=a", b"", "", Reason.MISSING_FROM, id="no-from"),
        pytest.param(b"from=&to=1", b"", "", Reason.MISSING_FROM, id="empty-from"),
        pytest.param(b"from=+&to=1", b"", "", Reason.MISSING_FROM, id="blank-from"),
        pytest.param(b"from=2", b"", "", Reason.MISSING_TO, id="no-to"),
        pytest.param(b"from=2&to=%20", b"", "", Reason.MISSING_TO, id="blank-to"),
        pytest.param(b"api_id=1", b"", "", Reason.MISSING_FROM, id="api-id-alone"),
        pytest.param(
            b"from=2&to=1&text=%", b"", "", Reason.BROKEN_PERCENT_ENCODING, id="broken-text"
        ),
        pytest.param(b"from=%4&to=1", b"", "", Reason.BROKEN_PERCENT_ENCODING, id="broken-from"),
        pytest.param(
            b"from=2&to=1", b"udh=%GG", FORM, Reason.BROKEN_PERCENT_ENCODING, id="broken-in-form"
        ),
        pytest.param(
            b"", b'{"from": 2}', "application/json", Reason.MISSING_FROM, id="a-body-not-a-form"
        ),
    ],
)
def test_a_request_is_refused_and_says_why(query, body, content_type, reason):
    found = parse(query=query, body=body, content_type=content_type)
    assert isinstance(found, Rejected)
    assert found.reason == reason
    assert found.words
    assert "\n" not in found.words


@pytest.mark.parametrize(
    ("query", "body", "content_type"),
    [
        pytest.param(b"", b"", "", id="nothing"),
        pytest.param(b"probe=1&x", b"", "", id="other-parameters"),
        pytest.param(b"", b"probe=1", FORM, id="other-form"),
        pytest.param(b"", b" \r\n", "text/plain", id="blank-body"),
    ],
)
def test_without_any_parameter_the_gateway_is_trying_the_url(query, body, content_type):
    assert parse(query=query, body=body, content_type=content_type) is None


@pytest.mark.parametrize(
    "content_type", ["", FORM, FORM.upper() + "; charset=UTF-8", "text/plain", "image/png"]
)
def test_a_form_is_read_whatever_its_type(content_type):
    found = _parse(body=b"from=2&to=1&text=%00%ff", content_type=content_type)
    assert isinstance(found, MoCallback)
    assert found.octets == b"\x00\xff"


def test_a_foreign_body_does_not_break_what_the_query_says():
    found = _parse(b"from=2&to=1&text=a", b"text=%zz", "text/plain")
    assert isinstance(found, MoCallback)
    assert found.octets == b"a"


def test_what_is_absent_is_left_out_of_a_rendered_query():
    assert render(MoCallback(handset="2", number="1")) == b"from=2&to=1&text=&udh="


filled = st.text(min_size=1).filter(str.strip)
callbacks = st.builds(
    MoCallback,
    handset=filled,
    number=filled,
    api_id=st.text(),
    mo_msg_id=st.text(),
    timestamp=st.text(),
    charset=st.text(),
    udh=st.text(),
    octets=st.binary(),
)


@given(callbacks)
def test_what_is_rendered_is_parsed_back(given_callback):
    query = render(given_callback)
    assert parse(query=query, body=b"", content_type="") == given_callback
    assert parse(query=b"", body=query, content_type=FORM) == given_callback


@given(callbacks, st.randoms())
def test_the_order_of_the_parameters_does_not_matter(given_callback, random):
    pairs = render(given_callback).split(b"&")
    random.shuffle(pairs)
    assert parse(query=b"&".join(pairs), body=b"", content_type="") == given_callback


noise = st.binary() | st.lists(
    st.sampled_from(
        [b"from", b"to", b"text", b"udh", b"=", b"&", b"%", b"%0", b"%41", b"+", b"\xff"]
    )
).map(b"".join)


@given(noise, noise, st.sampled_from(["", FORM, "application/json"]) | st.text())
def test_arbitrary_octets_give_a_value(query, body, content_type):
    found = parse(query=query, body=body, content_type=content_type)
    assert found is None or isinstance(found, MoCallback | Rejected)
    assert parse(query=query, body=body, content_type=content_type) == found


@given(
    st.sampled_from([b"", b"12345", b"a.b-c"]),
    st.sampled_from([b"2008-08-06+21%3A43%3A50", b"", b"%F6", b"%C3%B6+", b"%", b"+"]),
    noise | st.sampled_from([b"a%26b=c", b"%ZZ", b"1+1%3D2", b"%00%FF%"]),
    st.sampled_from([b"", b"050003CC0201", b"%30", b"zz"]),
    st.sampled_from([b"", b"&moMsgId=", b"&moMsgId=8fe0", b"&moMsgId=%41"]),
)
def test_the_guides_order_has_no_meaning_of_its_own(api_id, time, text, udh, mo_msg_id):
    """A query in that order has a reader of its own; with one more parameter it has not."""
    query = (b"api_id=%b&from=27999&to=27123&timestamp=%b&text=%b&charset=UTF-16BE&udh=%b%b") % (
        api_id,
        time,
        text,
        udh,
        mo_msg_id,
    )
    assert _parse(query) == _parse(query + b"&other=1")


def test_the_variables_are_rendered_in_the_order_of_the_guide():
    query = render(callback(api_id="1", timestamp="t", charset="c", udh="u", mo_msg_id="m"))
    assert [pair.partition(b"=")[0].decode() for pair in query.split(b"&")] == [
        "api_id",
        "from",
        "to",
        "timestamp",
        "text",
        "charset",
        "udh",
        "moMsgId",
    ]
