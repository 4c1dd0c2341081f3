"""The XML and SOAP callbacks (G8.3.4, G8.3.5), from the octets of the request."""

import tracemalloc
from urllib.parse import quote_from_bytes

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import Reason, Rejected
from pipeline.wire import http_form, soap, xml
from pipeline.wire.callback import MoCallback
from pipeline.wire.hardened_xml import MAX_DEPTH, MAX_OCTETS
from tests.support.golden_rows import golden_rows
from tests.support.guide_samples import GUIDE_SOAP, GUIDE_XML
from tests.support.mo import callback

FORM = http_form.FORM
OF_GUIDE_XML = MoCallback(
    api_id="xxx",
    mo_msg_id="fa6ba35b330ce1bc7e2008e5d92d57aa",
    handset="handset_number_here",
    number="mo_number_here",
    timestamp="2007-02-26 14:36:50",
    octets=b"xxx",
    charset="ISO-8859-1",
)
OF_GUIDE_SOAP = MoCallback(
    api_id="xyz",
    mo_msg_id="xyz",
    handset="xyz",
    number="xyz",
    timestamp="xyz",
    octets=b"xyz",
    charset="xyz",
    udh="xyz",
)
WAYS = [pytest.param(xml, id="xml"), pytest.param(soap, id="soap")]
ADDRESSES = "<from>2</from><to>1</to>"


def _body(way, body: bytes, content_type: str = FORM):
    return way.parse(query=b"", body=body, content_type=content_type)


def _clickmo(inside: str, *, head: str = "") -> bytes:
    return f"{head}<clickmo>{ADDRESSES}{inside}</clickmo>".encode()


def _declaring(encoding: str, text: str) -> bytes:
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    return _clickmo(f"<text>{text}</text>", head=head).decode().encode(encoding)


@pytest.mark.parametrize(
    ("way", "sample", "expected"),
    [
        pytest.param(xml, GUIDE_XML, OF_GUIDE_XML, id="G8.3.4"),
        pytest.param(soap, GUIDE_SOAP, OF_GUIDE_SOAP, id="G8.3.5"),
    ],
)
def test_the_guides_sample_however_it_is_brought(way, sample, expected):
    document = sample.partition(b"=")[2]
    escaped = b"data=" + quote_from_bytes(document).encode() + b"&x=1"
    assert _body(way, sample) == expected
    assert _body(way, b"x=1&" + escaped) == expected
    assert _body(way, document, "text/xml") == expected
    assert way.parse(query=sample, body=b"", content_type="") == expected
    assert way.parse(query=escaped, body=b"", content_type="") == expected


@pytest.mark.parametrize(
    "row",
    [row for row in golden_rows("clickatell_mo_xml_soap_ftp") if "xml" in row.values[0]["input"]],
)
def test_golden_xml(row):
    found = _body(xml, row["input"]["xml"].encode())
    assert isinstance(found, MoCallback)
    expected = row["expected"]
    assert {
        "api_id": found.api_id,
        "mo_msg_id": found.mo_msg_id,
        "src": found.handset,
        "dst": found.number,
        "text": found.octets.decode("latin-1"),
        "charset": found.charset,
        "udh": found.udh or None,
    } == expected


def test_the_missing_blank_is_no_xml_and_repaired_for_soap_alone():
    assert isinstance(_body(xml, GUIDE_SOAP), Rejected)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("inside", "octets", "charset"),
    [
        pytest.param("", b"", "ISO-8859-1", id="absent-text"),
        pytest.param("<text>a &amp;amp; b&#233;</text>", b"a &amp; b\xe9", "ISO-8859-1", id="once"),
        pytest.param("<text><![CDATA[<a x='1'b>]]></text>", b"<a x='1'b>", "ISO-8859-1", id="cd"),
        pytest.param("<text> a\n</text>", b" a\n", "ISO-8859-1", id="blanks-stay"),
        pytest.param(
            "<text>\U0001f600</text><charset>UTF-16BE</charset>",
            b"\xd8\x3d\xde\x00",
            "UTF-16BE",
            id="utf-16be",
        ),
        pytest.param(
            "<text>€</text><charset>ISO-8859-1</charset>", b" \xac", "UTF-16BE", id="does-not-fit"
        ),
        pytest.param("<text>00fF</text><charset>8-BIT</charset>", b"\x00\xff", "8-BIT", id="hex"),
        pytest.param("<text>0g</text><charset>8-BIT</charset>", b"0g", "8-BIT", id="not-hex"),
        pytest.param("<text> </text><charset>8-BIT</charset>", b" ", "8-BIT", id="blank-8-bit"),
        pytest.param("<text>é</text><charset>x</charset>", b"\xe9", "x", id="unknown-charset"),
        pytest.param("<text>a@</text><charset>GSM-7</charset>", b"a@", "ISO-8859-1", id="gsm-7"),
        pytest.param("<text>a</text><text/><x>b</x>", b"a", "ISO-8859-1", id="empty-hides-nothing"),
    ],
)
def test_the_octets_of_a_text_are_its_characters_in_the_charset(way, inside, octets, charset):
    found = _body(way, _clickmo(inside))
    assert isinstance(found, MoCallback)
    assert (found.octets, found.charset) == (octets, charset)


@pytest.mark.parametrize(
    ("document", "text"),
    [
        pytest.param(_clickmo("<text>é</text>"), "é", id="utf-8-undeclared"),
        pytest.param(b"\xef\xbb\xbf" + _clickmo("<text>a</text>"), "a", id="utf-8-mark"),
        pytest.param(
            b'<?xml version="1.0" encoding="ISO-8859-1"?>'
            + _clickmo("<text>é</text>").decode().encode("latin-1"),
            "é",
            id="iso-8859-1",
        ),
        pytest.param(
            b"<?xml version='1.0' encoding='windows-1252'?>"
            + _clickmo("<text>é</text>").decode().encode("cp1252"),
            "é",
            id="windows-1252",
        ),
        pytest.param(_clickmo("<text>é</text>").decode().encode("utf-16"), "é", id="utf-16"),
        *(
            pytest.param(_declaring(encoding, text), text, id=encoding)
            for encoding, text in [
                ("UTF-16BE", "é"),
                ("UTF-16LE", "é\N{GRINNING FACE}"),
                ("KOI8-R", "Привет"),
                ("windows-1256", "مرحبا"),
                ("Shift_JIS", "こんにちは"),
                ("EUC-KR", "안녕"),
                ("GB18030", "你好\N{GRINNING FACE}"),
                ("Big5", "你好"),
            ]
        ),
    ],
)
def test_a_declared_encoding_is_honoured(document, text):
    found = _body(xml, document, "text/xml")
    assert isinstance(found, MoCallback)
    assert found.octets.decode("latin-1" if text.isascii() or text == "é" else "utf-16-be") == text
    escaped = b"data=" + quote_from_bytes(document).encode()
    assert _body(xml, escaped) == found


@pytest.mark.parametrize("way", WAYS)
def test_percent_encoding_and_entities_are_each_undone_once(way):
    document = _clickmo("<text>&amp;amp; %2B+&#38;lt;</text>")
    escaped = b"data=" + quote_from_bytes(document).encode()
    for body in (document, b"data=" + document, escaped):
        found = _body(way, body)
        assert isinstance(found, MoCallback)
        assert found.octets == b"&amp; %2B+&lt;"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "document",
    [
        b'<c:clickmo xmlns:c="urn:c"><c:from>2</c:from><c:to>1</c:to></c:clickmo>',
        b'<clickmo xmlns="clickatell_mo"><from>2</from><to>1</to></clickmo>',
        b'<e:Envelope xmlns:e="urn:e"><e:Body><tns:mo_callback xmlns:tns="clickatell_mo">'
        b"<from>2</from><to>1</to></tns:mo_callback></e:Body></e:Envelope>",
        b'<S:Envelope xmlns:S="urn:e"><S:Body><mo_callback xmlns="clickatell_mo"><from>2</from>'
        b"<to>1</to></mo_callback></S:Body></S:Envelope>",
        b"<unbound:mo_callback><unbound:from>2</unbound:from><to>1</to></unbound:mo_callback>",
    ],
    ids=["any-prefix", "default", "G8.3.5", "another-default", "a-prefix-of-nothing"],
)
def test_a_namespace_may_have_any_prefix(way, document):
    found = _body(way, document, "text/xml")
    assert isinstance(found, MoCallback)
    assert (found.handset, found.number) == ("2", "1")


@pytest.mark.parametrize("name", ["moMsgId", "moMsgld", "momsgid", "MOMSGID", "q:moMsgId"])
def test_the_id_is_taken_by_any_of_its_names(name):
    found = _body(xml, _clickmo(f"<{name}>7</{name}>"))
    assert isinstance(found, MoCallback)
    assert found.mo_msg_id == "7"


def test_a_header_of_the_envelope_is_no_field():
    found = _body(
        soap,
        b"<e:Envelope><e:Header><a:From>9</a:From></e:Header><e:Body><x:mo_callback>"
        b"<x:from>2</x:from><to>1</to></x:mo_callback></e:Body></e:Envelope>",
    )
    assert isinstance(found, MoCallback)
    assert found.handset == "2"


_MANY = 200_000


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("document", "reason"),
    [
        pytest.param(b"<clickmo><from>1", Reason.NOT_XML, id="cut"),
        pytest.param(_clickmo("", head="<!DOCTYPE clickmo>"), Reason.NOT_XML, id="doctype"),
        pytest.param(
            _clickmo("<text>&a;</text>", head='<!DOCTYPE c [<!ENTITY a "aaaaaaaa">]>'),
            Reason.NOT_XML,
            id="entity",
        ),
        pytest.param(
            _clickmo("<text>&a;</text>", head='<!DOCTYPE c [<!ENTITY a SYSTEM "file:///x">]>'),
            Reason.NOT_XML,
            id="external",
        ),
        pytest.param(_clickmo("<text>&nbsp;</text>"), Reason.NOT_XML, id="undeclared-entity"),
        pytest.param(b"<a>" * (MAX_DEPTH + 1), Reason.NOT_XML, id="deep"),
        pytest.param(b"<a b='" + b"c" * 1_000_000 + b"'/>", Reason.NOT_XML, id="long-attribute"),
        pytest.param(b"<a>" + b" " * MAX_OCTETS, Reason.NOT_XML, id="long"),
        pytest.param(b"<!--" * (_MANY // 4), Reason.NOT_XML, id="comments-never-closed"),
        pytest.param(b"<a b='" * (_MANY // 6), Reason.NOT_XML, id="tags-never-closed"),
        pytest.param(b"<a" + b'"b"' * (_MANY // 3), Reason.NOT_XML, id="values-never-closed"),
        pytest.param(_clickmo("") + _clickmo(""), Reason.NOT_XML, id="two-documents"),
        pytest.param(
            b"<a>" + _clickmo("") * 2 + b"</a>", Reason.NOT_XML, id="two-callbacks-lose-neither"
        ),
        pytest.param(
            _clickmo("", head="<?xml version='1.0' encoding='klingon'?>"),
            Reason.NOT_XML,
            id="unknown-encoding",
        ),
        pytest.param(_clickmo("<text>\x01</text>"), Reason.NOT_XML, id="control-character"),
        pytest.param(b"<clickmo><to>1</to></clickmo>", Reason.MISSING_FROM, id="no-from"),
        pytest.param(b"<clickmo><from>1</from></clickmo>", Reason.MISSING_TO, id="no-to"),
        pytest.param(b"<html/>", Reason.MISSING_FROM, id="no-callback"),
        pytest.param(b"data=", Reason.NOT_XML, id="data-empty"),
        pytest.param(b"data=abc", Reason.NOT_XML, id="data-not-xml"),
        pytest.param(b"data=%zz", Reason.BROKEN_PERCENT_ENCODING, id="data-broken"),
        pytest.param(b"from=1&to=2", Reason.NOT_XML, id="variables-instead"),
    ],
)
def test_a_request_is_refused_and_says_why(way, document, reason):
    found = _body(way, document)
    assert isinstance(found, Rejected)
    assert found.reason == reason
    assert found.words
    assert "\n" not in found.words


_LEVELS = "".join(f'<!ENTITY a{level} "{f"&a{level - 1};" * 10}">' for level in range(1, 12))
_LAUGHS = f'<!DOCTYPE c [<!ENTITY a0 "ha">{_LEVELS}]>'


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "document",
    [
        pytest.param(_clickmo("<text>&a11;</text>", head=_LAUGHS), id="ten-to-the-eleventh"),
        pytest.param(b"<a>" * (MAX_OCTETS // 3), id="deep"),
        pytest.param(b"<a b='" + b"c" * (MAX_OCTETS - 9) + b"'/>", id="long-attribute"),
        pytest.param(
            b"<a " + b" ".join(b"a%d=''" % at for at in range(25_000)) + b"/>", id="many-attributes"
        ),
        pytest.param(b"<a " + b'""' * (MAX_OCTETS // 2 - 2), id="nothing-but-quotes"),
        pytest.param(b'<a b=""c="">' * (MAX_OCTETS // 12), id="blanks-lack-everywhere"),
        pytest.param(b"<a>" + b"<![CDATA[" * (MAX_OCTETS // 9 - 1), id="cdata-never-closed"),
    ],
)
def test_what_is_hostile_costs_little_memory(way, document):
    assert len(document) <= MAX_OCTETS
    tracemalloc.start()
    try:
        found = _body(way, document)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(found, Rejected)
    assert peak < 32 * MAX_OCTETS


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(("query", "body"), [(b"", b""), (b"probe=1", b""), (b"", b"\r\n")])
def test_without_data_the_gateway_is_trying_the_url(way, query, body):
    assert way.parse(query=query, body=body, content_type=FORM) is None


characters = st.characters(
    categories=("L", "N", "P", "S", "Zs"), exclude_characters="\r\n", max_codepoint=0x1FFFF
)
words = st.text(characters).map(str.strip)
named = words.filter(bool)
callbacks = st.builds(
    MoCallback,
    handset=named,
    number=named,
    api_id=words,
    mo_msg_id=words,
    timestamp=words,
    udh=words,
)
xml_text = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff")
)
texts = st.one_of(
    st.tuples(st.just("UTF-16BE"), xml_text.map(lambda text: text.encode("utf-16-be"))),
    st.tuples(
        st.just("ISO-8859-1"),
        st.text(st.characters(codec="latin-1", exclude_categories=("Cc",))).map(
            lambda text: (text + "\r\n\t").encode("latin-1")
        ),
    ),
    st.tuples(st.just("8-BIT"), st.binary()),
)


@pytest.mark.parametrize("way", WAYS)
@given(bare=callbacks, text=texts)
def test_what_is_rendered_is_parsed_back(way, bare, text):
    charset, octets = text
    given_callback = msgspec.structs.replace(bare, charset=charset, octets=octets)
    body = way.render(given_callback)
    assert body is not None
    assert _body(way, body) == given_callback


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("octets", "charset"),
    [(b"\xd8\x3d", "UTF-16BE"), (b"\x00", "UTF-16BE"), (b"\x00", "ISO-8859-1")],
)
def test_what_xml_cannot_hold_is_not_rendered(way, octets, charset):
    assert way.render(callback(octets, charset=charset)) is None


noise = st.binary() | st.lists(
    st.sampled_from(
        [
            *(b"data=", b"<", b"<a", b"</a>", b"<clickmo>", b"<from>1</from>", b"<to>2</to>", b">"),
            *(
                b"</clickmo>",
                b"<!--",
                b"<![CDATA[",
                b"]]>",
                b'"',
                b"'",
                b"&",
                b"%3C",
                b"\xff",
                b"=",
            ),
            *(b'<?xml version="1.0" encoding="', b'"?>', b"utf-7", b"utf-16", b"idna", b"rot13"),
        ]
    )
).map(b"".join)


@pytest.mark.parametrize("way", WAYS)
@given(query=noise, body=noise)
def test_arbitrary_octets_give_a_value(way, query, body):
    found = way.parse(query=query, body=body, content_type="text/xml")
    assert found is None or isinstance(found, MoCallback | Rejected)
