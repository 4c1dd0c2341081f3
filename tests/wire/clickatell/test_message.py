"""The parts of a command that are sent: its characters, its parts, its parameters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.gsm7.default import septets_from_text
from pipeline.wire.clickatell.message import NotSendable, WireMessage, message_from_command
from tests.support.submissions import COMMAND, command_of


def outgoing(text: str = "Hi", **changes) -> WireMessage:
    return message_from_command(
        command_of(text=text, **changes), callback=7, max_parts=3, required_features=0
    )


@pytest.mark.parametrize(
    ("text", "parameter", "is_unicode", "parts"),
    [
        pytest.param("Hi", "Hi", False, 1, id="ascii"),
        pytest.param("Ça va, mon élève", "Ça va, mon élève", False, 1, id="kbid-121"),
        pytest.param("a" * 160, "a" * 160, False, 1, id="160 septets (23.038 6.1.2.1)"),
        pytest.param("a" * 161, "a" * 161, False, 2, id="161 septets"),
        pytest.param("[" * 80, "[" * 80, False, 1, id="80 of the extension table"),
        pytest.param("[" * 81, "[" * 81, False, 2, id="81 of the extension table"),
        pytest.param("a\r\nb", "a\r\nb", False, 1, id="lines"),
        pytest.param("ΩΨΘ", "03A903A80398", True, 1, id="HTTP API 2.3.8, 5: unicode"),
        pytest.param("€", "20AC", True, 1, id="the euro is in GSM 7 bit, not in ISO-8859-1"),
        pytest.param("ç", "00E7", True, 1, id="c with cedilla: in ISO-8859-1, not in GSM 7 bit"),
        pytest.param("a\fb", "0061000C0062", True, 1, id="a page break"),
        pytest.param("\x00", "0000", True, 1, id="NUL"),
        pytest.param("\x85", "0085", True, 1, id="a control character of ISO-8859-1"),
        pytest.param("😀", "D83DDE00", True, 1, id="a surrogate pair"),
        pytest.param("€" + "a" * 69, "20AC" + "0061" * 69, True, 1, id="70 units"),
        pytest.param("€" + "a" * 70, "20AC" + "0061" * 70, True, 2, id="71 units"),
    ],
)
def test_a_text_goes_as_both_alphabets_hold_it_else_as_utf_16(text, parameter, is_unicode, parts):
    message = outgoing(text)
    assert (message.text, message.is_unicode, message.parts) == (parameter, is_unicode, parts)


@given(st.text(max_size=150))
def test_no_character_is_lost_whatever_the_gateway_makes_of_iso_8859_1(text):
    message = outgoing(text)
    if message.is_unicode:
        assert bytes.fromhex(message.text).decode("utf-16-be") == text
    else:
        assert message.text.encode("latin-1").decode("latin-1") == text
        assert septets_from_text(text) is not None


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        pytest.param({"text": "a" * 460}, "too-many-parts", id="4 parts of 153 septets"),
        pytest.param({"text": "€" + "a" * 201}, "too-many-parts", id="2 in GSM 7 bit, 4 in UTF-16"),
        pytest.param({"text": "a\ud800"}, "not-unicode", id="half of a surrogate pair"),
        pytest.param({"handset": "447700900123,447700900124"}, "not-digits", id="two handsets"),
        pytest.param({"handset": ""}, "not-digits", id="no handset"),
    ],
)
def test_what_cannot_go_says_why_first(changes, word):
    with pytest.raises(NotSendable, match=f"^{word}: "):
        outgoing(**changes)


def test_only_what_is_said_is_a_parameter():
    names = dict(outgoing().parameters())
    assert names == {
        "to": "447700900123",
        "text": "Hi",
        "from": COMMAND.sender_id,
        "mo": "1",
        "concat": "1",
        "cliMsgId": COMMAND.command_id,
        "callback": "7",
        "deliv_ack": "1",
    }
    silent = message_from_command(
        command_of(text="€", sender_id="", mo=False),
        callback=0,
        max_parts=1,
        required_features=8240,
    )
    assert dict(silent.parameters()) == {
        "to": "447700900123",
        "text": "20AC",
        "unicode": "1",
        "req_feat": "8240",
        "concat": "1",
        "cliMsgId": COMMAND.command_id,
        "callback": "0",
        "deliv_ack": "1",
    }
