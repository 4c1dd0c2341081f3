"""Lines of the gateway, in the spellings of documents and clients, and other lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.clickatell.answers import RefusedReply, Taken, Unclear, Well, reply_from_octets
from pipeline.wire.clickatell.call import GatewayCall
from pipeline.wire.clickatell.codes import ERROR_CODES, STATUSES, About, Standing, pause_seconds
from pipeline.wire.clickatell.http import HttpWire
from pipeline.wire.clickatell.soap import SoapWire
from pipeline.wire.clickatell.xml import XmlWire
from tests.hostile.growth import refuse_steep_growth

TO = "279990001"
ID = "18e8221e5aa50cfad72376e08f40388a"


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        (b"ID: id1002", Taken("id1002")),
        (b"id:id1002\r\n\r\n", Taken("id1002")),
        (b"  ID :  id1002  To :  +279990001 ", Taken("id1002")),
        (b"ID: id1002 To:279990001\nID: id1002 To:279990001\n", Taken("id1002")),
        (b"\xef\xbb\xbfID: id1002", Taken("id1002")),
        (b"ApiMsgID: id1002 CHARGE: .3 Status: 4", Taken("id1002", "004", ".3")),
        (
            b"ERR: 105, Invalid Destination Address",
            RefusedReply("105", "Invalid Destination Address"),
        ),
        (b"err:105", RefusedReply("105", "")),
        (b"ERR: 105 Invalid To: 279990001", RefusedReply("105", "Invalid")),
        (b"ERR: 114, Cannot route to: that", RefusedReply("114", "Cannot route to: that")),
        (b"ERR: 116, \xe9", RefusedReply("116", "é")),
        (b"ERR: not now", RefusedReply("", "not now")),
        (b"OK", Well()),
        (b"ok : abc\r\n", Well("abc")),
    ],
)
def test_a_line_is_understood_in_any_spelling(body, reply):
    assert reply_from_octets(body, to=TO) == reply


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\r\n \r\n",
        b"ID:",
        b"ID: ",
        b"ID: a b",
        b"ID: <b>",
        b"ID: " + b"a" * 65,
        b"I",
        b"ERR",
        b"ERR:",
        b"ERR: 1",
        b"ERR: 13",
        b"ERR: 1301, no code has four digits",
        b"ERR: 105, Invalid To: 279990002",
        b"ID: id1002 To: 279990002",
        b"ID: id1002 ID: id1003",
        b"ID: id1002\nID: id1003",
        b"ID: id1002\nERR: 105, Invalid",
        b"ID: id1002 Status: 0044",
        b"ID: id1002 Charge: one",
        b"Status: 004",
        b"Hello ID: id1002",
        b"<html><body>ID: id1002</body></html>",
        "ID: id1002".encode("utf-16"),
        "ID: id1002".encode("utf-16-be"),
        b"ID: id1002" + b" " * 1_000 + b"Status: 004",
        b"null",
        b'{"messages":[],"error":"no"}',
    ],
)
def test_what_is_no_line_of_the_gateway_says_nothing(body):
    assert reply_from_octets(body, to=TO) == Unclear()


def sent(inside: str) -> str:
    return f"<sendMsgResp>{inside}</sendMsgResp>"


@pytest.mark.parametrize(
    ("operation", "document", "reply"),
    [
        ("sendMsg", sent("<apiMsgId>a1</apiMsgId>"), Taken("a1")),
        ("sendMsg", sent("<APIMSGID> a1\n</APIMSGID><to>279990001</to>").upper(), Taken("A1")),
        ("sendMsg", sent("<apiMsgId>a1 To:279990001</apiMsgId>"), Taken("a1")),
        ("sendMsg", sent("<apiMsgId>a1</apiMsgId><to>27</to>"), Unclear()),
        ("sendMsg", sent("<apiMsgId/><fault>114, a &amp; b</fault>"), RefusedReply("114", "a & b")),
        ("sendMsg", sent("<fault>301,\n No Credit</fault>"), RefusedReply("301", "No Credit")),
        ("sendMsg", sent("<apiMsgId>a</apiMsgId><fault>114, b</fault>"), Unclear()),
        ("sendMsg", sent(""), Unclear()),
        ("sendMsg", sent("<apiMsgId>a</apiMsgId>") * 2, Unclear()),
        ("sendMsg", "<queryMsgResp><apiMsgId>a</apiMsgId></queryMsgResp>", Unclear()),
        ("sendMsg", "<fault>100, Data malformed</fault>", RefusedReply("100", "Data malformed")),
        (
            "queryMsg",
            "<queryMsgResp><fault>104, No</fault></queryMsgResp>",
            RefusedReply("104", "No"),
        ),
        ("ping", "<pingResp><ok/></pingResp>", Well()),
        (
            "ping",
            "<pingResp><ok></ok><fault>003, Session ID expired</fault></pingResp>",
            RefusedReply("003", "Session ID expired"),
        ),
        ("ping", "<pingResp></pingResp>", Unclear()),
        ("ping", "<sendMsgResp><ok/></sendMsgResp>", Unclear()),
        ("ping", "<pingResp><ok>OK</ok></pingResp>", Well()),
        ("auth", "<authResp><fault>001, No</fault></authResp>", RefusedReply("001", "No")),
    ],
)
def test_xml_is_understood_by_its_elements(operation, document, reply):
    octets = f"<clickAPI>{document}</clickAPI>".encode()
    assert XmlWire().read(GatewayCall(operation, "", b""), octets, to=TO) == reply


def returned(inside: str) -> str:
    return f"<sendmsgResponse>{inside}</sendmsgResponse>"


@pytest.mark.parametrize(
    ("inside", "reply"),
    [
        ("<n:sendmsgResponse><return>ID: a1</return></n:sendmsgResponse>", Taken("a1")),
        (returned("<s-gensym3>ID: a1</s-gensym3>"), Taken("a1")),
        (returned("<r><item>ID: a1 To:279990001</item></r>"), Taken("a1")),
        (returned("<r><item>ERR: 114, a &lt; b</item></r>"), RefusedReply("114", "a < b")),
        (returned("<r><item>ID: a</item>\n<item>ID: b</item></r>"), Unclear()),
        (returned("<r>ID: a</r><s>ID: b</s>"), Unclear()),
        (returned(""), Unclear()),
        (returned("<r href='#1'/>") + "<multiRef>ID: a1</multiRef>", Unclear()),
        ("<S:Fault><faultstring>no\nmore</faultstring></S:Fault>", Unclear("a fault: no\nmore")),
    ],
)
def test_soap_is_understood_whatever_its_prefixes_and_names(inside, reply):
    octets = f"<S:Envelope xmlns:S='a' xmlns:n='b'><S:Body>{inside}</S:Body></S:Envelope>".encode()
    assert SoapWire().read(GatewayCall("sendmsg", "", b""), octets, to=TO) == reply


@pytest.mark.parametrize("wire", [HttpWire(), XmlWire(), SoapWire()])
@given(octets=st.binary(max_size=300))
def test_no_octets_make_a_reader_fail(wire, octets):
    wire.read(GatewayCall("sendMsg", "", b""), octets, to=TO)


@pytest.mark.parametrize("wire", [HttpWire(), XmlWire(), SoapWire()])
@pytest.mark.parametrize("piece", [b" ", b"ID: a ", b"ERR: ", b"To:", b"<a>", b"<fault>a", b"\r\n"])
def test_reading_takes_linear_time(wire, piece):
    def work(size):
        octets = b"ID: " + piece * (size // len(piece))
        return lambda: wire.read(GatewayCall("sendMsg", "", b""), octets, to=TO)

    refuse_steep_growth(work, largest=64 * 1024)


def test_the_codes_of_login_session_and_pace_are_temporary_and_no_others_but_901():
    assert {code for code, each in ERROR_CODES.items() if each.is_temporary} == {
        *("001", "002", "003", "004", "005", "007", "108", "130", "301", "901")
    }
    assert {code for code, each in ERROR_CODES.items() if each.about is About.SESSION} == {
        "003",
        "005",
    }
    assert {code for code, each in ERROR_CODES.items() if each.about is About.PACE} == {"130"}


def test_each_status_says_one_thing_and_008_is_no_delivery():
    def of(standing: Standing) -> set[str]:
        return {code for code, each in STATUSES.items() if each.standing is standing}

    assert of(Standing.DELIVERED) == {"004"}
    assert of(Standing.ON_ITS_WAY) == {"002", "003", "008", "011"}
    assert of(Standing.NOTHING) == {"001"}
    assert of(Standing.UNDELIVERED) == {"005", "006", "007", "009", "010", "012", "014"}


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Maximum MT limit exceeded until 1218007814", 14),
        ("Maximum MT limit exceeded until 1218007000", 0),
        ("until 9999999999", 24 * 3600),
        ("until <UNIX TIME STAMP>", 0),
        ("until 12180078140", 0),
        ("", 0),
    ],
)
def test_the_pause_of_130_is_until_its_unix_time(words, seconds):
    assert pause_seconds(words, now=1_218_007_800.0) == seconds
