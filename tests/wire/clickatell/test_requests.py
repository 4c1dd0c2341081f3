"""For any values, another parser reads exactly these values from our octets."""

from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.clickatell.call import form_from_pairs
from pipeline.wire.clickatell.http import HttpWire
from pipeline.wire.clickatell.message import NotSendable, message_from_command
from pipeline.wire.clickatell.soap import SoapWire
from pipeline.wire.clickatell.xml import XmlWire
from tests.support.submissions import command_of

# What would begin a header, a line, a parameter, an element or an entity, beside all of Unicode.
HOSTILE = st.sampled_from(
    [
        "\r\nto:447",
        "&to=447",
        "</text><to>447</to>",
        "]]>",
        "&amp;",
        "%26",
        "+",
        "\0",
        "<!--",
        "\x1b",
    ]
)
TEXT = st.lists(st.text(max_size=8) | HOSTILE, max_size=6).map("".join).filter(bool)
SENDER = st.text(max_size=11)
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
WIRES = [HttpWire(), XmlWire(), SoapWire()]


# XML 1.0, production 2: what is no Char.
NOT_IN_XML = regex.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def tree_of(document):
    return ET.fromstring(document)  # noqa: S314 - our own octets


def message_of(text, sender_id="447700900999"):
    command = command_of(text=text, sender_id=sender_id)
    return message_from_command(command, callback=7, max_parts=99, required_features=0)


def form_pairs(octets):
    return parse_qsl(octets.decode("ascii"), keep_blank_values=True, encoding="latin-1")


@given(TEXT)
def test_a_form_has_the_values_and_nothing_else(text):
    message = message_of(text)
    call = HttpWire().send("its&session", message)
    assert form_pairs(call.octets) == [("session_id", "its&session"), *message.parameters()]


@given(st.lists(st.tuples(st.text("abcXYZ_", min_size=1), st.text(max_size=20)), max_size=5))
def test_any_value_of_iso_8859_1_is_kept_in_a_form(pairs):
    kept = [(name, value) for name, value in pairs if all(ord(each) < 256 for each in value)]
    assert form_pairs(form_from_pairs(kept)) == kept


@given(TEXT)
def test_an_xml_document_has_the_values_and_nothing_else(text):
    message = message_of(text)
    ((name, document),) = form_pairs(XmlWire().send("its<session>", message).octets)
    assert name == "data"
    top = tree_of(document)
    (command,) = top
    assert (top.tag, command.tag) == ("clickAPI", "sendMsg")
    seen = [(child.tag, child.text or "") for child in command]
    assert seen == [("session_id", "its<session>"), *message.parameters()]


@given(TEXT)
def test_soap_has_22_parameters_in_their_places(text):
    message = message_of(text)
    call = SoapWire().send("its session", message)
    envelope = tree_of(call.octets)
    sendmsg = envelope.find("*/{soap.clickatell.com}sendmsg")
    assert " ".join(child.tag for child in sendmsg) == (
        "session_id api_id user password to from text concat deliv_ack callback deliv_time"
        " max_credits req_feat queue escalate mo cliMsgId unicode msg_type udh data validity"
    )
    said = {"session_id": "its session", **dict(message.parameters())}
    for child in sendmsg:
        if child.tag == "to":
            assert [item.text for item in child] == [said["to"]]
        else:
            unsaid = "" if child.get(XSI_TYPE) == "xsd:string" else "0"
            assert (child.text or "") == said.get(child.tag, unsaid)


@given(SENDER)
def test_characters_that_xml_lacks_are_refused_and_no_others(sender_id):
    message = message_of("Hi", sender_id)
    for wire in WIRES[1:]:
        if NOT_IN_XML.search(sender_id):
            with pytest.raises(NotSendable, match=r"^not-in-xml: from "):
                wire.send("s", message)
        else:
            octets = wire.send("s", message).octets
            document = form_pairs(octets)[0][1] if octets.startswith(b"data=") else octets
            found = tree_of(document).find(".//from")
            assert (found.text or "" if found is not None else "") == sender_id


@pytest.mark.parametrize("wire", WIRES)
def test_the_login_is_in_the_body_and_never_in_the_path(wire):
    call = wire.log_in("1234", "its-user", "its-password")
    assert b"its-password" in call.octets
    assert "its" not in call.path
    assert "?" not in call.path
    assert not any("its" in value for _, value in call.headers)
