"""The lines of a mail or a file: a gateway reads the same values, and a text adds no line."""

from __future__ import annotations

import email
import email.policy
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.segmentation import UCS2, segment, segment_in
from pipeline.wire.clickatell.lines import Login, lines_from_command
from pipeline.wire.clickatell.mail import LONGEST_MAIL_LINE, is_address, mail_from_lines
from pipeline.wire.clickatell.message import NotSendable
from tests.support.commands import NOON, command_of

LOGIN = Login("1234", "demo", "a:secret")
TEXTS = st.one_of(
    st.text(max_size=120),
    st.text(alphabet=st.sampled_from("ab:.# \r\n\t@é€to"), max_size=120),
    st.lists(st.sampled_from(["to:447700900999", "text:", ".", "", " x", "\r", "\n"])).map("".join),
    st.text(alphabet=st.sampled_from("ab "), min_size=900, max_size=1200),
    st.lists(st.sampled_from(["a ", "ab", " " * 70, "é"]), max_size=700).map("".join),
)
HEADERS = ["From", "To", "Date", "Message-ID", "Subject", "MIME-Version", "Content-Type"]
HEADERS += ["Content-Transfer-Encoding"]
NAMES = ["api_id", "user", "password", "to", "from", "mo", "concat", "cliMsgId", "callback"]


def lines_of(
    text: str, *, longest: int = LONGEST_MAIL_LINE, max_parts: int = 99, **given: Any
) -> list[str]:
    return lines_from_command(
        command_of(text=text, **given),
        LOGIN,
        longest=longest,
        callback=7,
        max_parts=max_parts,
        required_features=0,
    )


def read(lines: list[str]) -> tuple[dict[str, str], str]:
    """Parameters and text, read as Clickatell's pages say."""
    values: dict[str, str] = {}
    texts: list[str] = []
    data = ""
    for line in lines:
        name, colon, value = line.partition(":")
        assert colon, line
        value = value.strip()
        if name == "text":
            texts.append(value)
        elif name == "data":
            data += value
        else:
            assert name not in values, line
            values[name] = value
    assert not (texts and data)
    text = data or "\n".join(texts)
    if values.pop("unicode", "") == "1":
        text = bytes.fromhex(text).decode("utf-16-be")
    return values, text


def test_the_lines_of_a_reply() -> None:
    """The example of the page on the SMTP API, and the parameters that HTTP has as well."""
    assert lines_of("line one\nline two") == [
        "api_id:1234",
        "user:demo",
        "password:a:secret",
        "to:447700900123",
        "text:line one",
        "text:line two",
        "from:447700900999",
        "mo:1",
        "concat:1",
        "cliMsgId:e3f19b7c5d0a4862b1c7f4093ad8625e",
        "callback:7",
        "deliv_ack:1",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ΩΨΘ", ["text:03A903A80398", "unicode:1"]),
        ("Café", ["text:00430061006600E9", "unicode:1"]),
        ("x\ny", ["text:x", "text:y"]),
        ("x\r\ny", ["text:x", "text:y"]),
        ("x\ry", ["text:x", "text:y"]),
        ("x\n\ny", ["text:0078000A000A0079", "unicode:1"]),
        (" x", ["text:00200078", "unicode:1"]),
        ("x\n y", ["text:0078000A00200079", "unicode:1"]),
        ("", ["text:", "unicode:1"]),
        ("to:447700900999", ["text:to:447700900999"]),
        ("x\nto:447700900999", ["text:x", "text:to:447700900999"]),
        ("`", ["text:0060", "unicode:1"]),  # ASCII, but not in the GSM 7 bit alphabet
        ("\tx", ["text:00090078", "unicode:1"]),
        ("x" * 993, ["text:" + "x" * 993]),
        ("x" * 994, ["data:" + "x" * 993, "data:x"]),
        ("x" * 992 + " y", ["data:" + "x" * 991, "data:x y"]),
        ("é" * 249, ["data:" + "00E9" * 248 + "0", "data:0E9", "unicode:1"]),
    ],
)
def test_texts(text: str, expected: list[str]) -> None:
    lines = lines_of(text)
    assert [each for each in lines if each.startswith(("text", "data", "unicode"))] == expected


@given(TEXTS, st.sampled_from([64, 128, LONGEST_MAIL_LINE, 8190]))
def test_a_text_adds_nothing_and_loses_nothing(text: str, longest: int) -> None:
    try:
        lines = lines_of(text, longest=longest)
    except NotSendable:
        assert re.search("[\ud800-\udfff]", text)
        return
    assert all(line.isascii() and line.isprintable() and len(line) <= longest for line in lines)
    values, found = read(lines)
    assert sorted(values) == sorted([*NAMES, "deliv_ack"])
    assert values["to"] == "447700900123"
    assert re.sub("\r\n?", "\n", found) == re.sub("\r\n?", "\n", text)
    is_unicode = "unicode:1" in lines
    counted = text if is_unicode else re.sub("\r\n?|\n", "\r\n", text)
    parts = segment_in(counted, UCS2).parts if is_unicode else segment(counted).parts
    assert values["concat"] == str(parts)


@given(TEXTS)
def test_a_mail_is_what_pythons_email_package_reads(text: str) -> None:
    """RFC 5322 2.1.1; a text can add neither a header, nor a part, nor a line."""
    try:
        lines = lines_of(text)
    except NotSendable:
        return
    octets = mail_from_lines(
        lines,
        sender="two@example.com",
        recipient="sms@messaging.clickatell.com",
        name="e3f19b7c5d0a4862b1c7f4093ad8625e",
        at=datetime(2026, 3, 29, 12, 0, tzinfo=UTC),
    )
    assert octets.count(b"\n") == octets.count(b"\r\n") == octets.count(b"\r")
    assert max(map(len, octets.split(b"\r\n"))) <= 998
    assert max(octets) < 0x80
    mail = email.message_from_bytes(octets, policy=email.policy.SMTP)
    assert mail.defects == []
    assert not mail.is_multipart()
    assert sorted(mail.keys()) == sorted(HEADERS)
    assert mail["To"] == "sms@messaging.clickatell.com"
    assert mail["Message-ID"] == "<e3f19b7c5d0a4862b1c7f4093ad8625e@example.com>"
    assert mail["Date"].datetime == NOON
    assert (mail.get_content_type(), mail["Content-Transfer-Encoding"]) == ("text/plain", "7bit")
    assert mail.get_payload().split("\r\n") == [*lines, ""]


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"handset": "447700900123\nto:447700900124"}, "not-digits"),
        ({"sender_id": "a\nto:447700900124"}, "sender-id"),
        ({"sender_id": "a\rb"}, "sender-id"),
        ({"sender_id": " a"}, "sender-id"),
        ({"sender_id": "Café"}, "sender-id"),
        ({"command_id": "a\nb"}, "command-id"),
        ({"command_id": ""}, "command-id"),
        ({"text": "\ud800"}, "not-unicode"),
        ({"text": "x" * 460}, "too-many-parts"),
        ({"text": "é" * 202}, "too-many-parts"),
        ({"text": "\n".join("x" * 230)}, "too-many-parts"),  # 460, as each line end counts twice
    ],
)
def test_what_cannot_go(fields: dict[str, str], why: str) -> None:
    with pytest.raises(NotSendable, match=f"^{why}: "):
        lines_of(fields.pop("text", "x"), max_parts=3, **fields)


@pytest.mark.parametrize("password", ["", "a\nb", "a b ", "é", "a\0b"])
def test_a_login_that_no_line_can_hold_is_named_without_its_value(password: str) -> None:
    with pytest.raises(ValueError, match=r"^password must be printable ASCII"):
        Login("1234", "demo", password)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sms@messaging.clickatell.com", True),
        ("a.b+c@localhost", True),
        ("", False),
        ("sms", False),
        ("a@b@c", False),
        ("a@b\nBcc: c@d", False),
        ("<a@b>", False),
        ("a b@c", False),
        ("a@b,c@d", False),
        ("ä@b", False),
        ("a" * 250 + "@b.cd", False),
    ],
)
def test_addresses(text: str, expected: bool) -> None:
    assert is_address(text) is expected
