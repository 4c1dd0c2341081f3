"""Charsets: the three of G8.3.2, by any spelling of their names, and no octet lost."""

from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.charset import GSM_7, charset_from_name, text_from_octets
from tests.support.golden_rows import golden_rows

THREE = ["ISO-8859-1", "UTF-16BE", "8-BIT"]


@pytest.mark.parametrize(
    ("name", "charset"),
    [
        ("ISO-8859-1", "ISO-8859-1"),
        ("iso-8859-1", "ISO-8859-1"),
        ("iso8859-1", "ISO-8859-1"),
        ("ISO_8859-1", "ISO-8859-1"),
        ("ISO_8859-1:1987", "ISO-8859-1"),
        ("latin1", "ISO-8859-1"),
        ("Latin-1", "ISO-8859-1"),
        ("US-ASCII", "ISO-8859-1"),
        ("UTF-16BE", "UTF-16BE"),
        ("utf16be", "UTF-16BE"),
        ("UTF-16", "UTF-16BE"),
        ("UCS-2", "UTF-16BE"),
        ("ISO-10646-UCS-2", "UTF-16BE"),
        ("8-BIT", "8-BIT"),
        ("8bit", "8-BIT"),
        ("8 Bit", "8-BIT"),
        ("GSM-7", "GSM-7"),
        ("UTF-8", "utf_8"),
        ("UTF-16LE", "utf_16_le"),
        ("ISO-8859-15", "iso8859_15"),
        ("windows-1252", "cp1252"),
        ("rot13", None),
        ("base64", None),
        ("idna", None),
        ("punycode", None),
        ("unicode_escape", None),
        ("undefined", None),
        ("mbcs", None),
        ("x" * 70_000, None),
        ("", None),
    ],
)
def test_a_charset_is_known_by_any_spelling_and_no_other_is(name, charset):
    assert charset_from_name(name) == charset


@pytest.mark.parametrize(
    ("octets", "charset", "text", "lossy"),
    [
        pytest.param(b"caf\xe9", "ISO-8859-1", "café", False, id="latin-1"),
        pytest.param(b"Don\x92t \x8015", "ISO-8859-1", "Don’t €15", False, id="windows-1252"),  # noqa: RUF001 - it is that character
        # WHATWG Encoding, index windows-1252: the five places
        pytest.param(
            b"\x81\x8d\x8f\x90\x9d\x80", "ISO-8859-1", "\x81\x8d\x8f\x90\x9d€", False, id="c1"
        ),
        pytest.param(b"\xd8\x3d\xde\x00", "UTF-16BE", "😀", False, id="surrogate-pair"),
        pytest.param(b"\xfe\xff\x00A", "UTF-16BE", "\ufeffA", False, id="byte-order-mark-stays"),
        pytest.param(b"\x00A\x42", "UTF-16BE", "A\ufffd", True, id="odd-octet-at-the-end"),
        pytest.param(b"A", "UTF-16BE", "\ufffd", True, id="one-octet"),
        pytest.param(b"\xd8\x3d\x00A", "UTF-16BE", "\ufffdA", True, id="lone-high-surrogate"),
        pytest.param(b"\xde\x00\x00A", "UTF-16BE", "\ufffdA", True, id="lone-low-surrogate"),
        pytest.param(b"\x00\xff\x1b", "8-BIT", "00ff1b", False, id="binary-is-lower-case-hex"),
        pytest.param(b"", "UTF-16BE", "", False, id="empty"),
    ],
)
def test_octets_are_read_as_their_charset_says(octets, charset, text, lossy):
    assert text_from_octets(octets, charset) == (text, lossy)


@given(st.binary(), st.sampled_from(THREE))
def test_reading_never_fails_and_never_gives_an_empty_text_for_octets(octets, charset):
    text, _ = text_from_octets(octets, charset)
    assert bool(text) == bool(octets)
    text.encode()  # every text can be written


@given(st.text())
def test_every_text_survives_utf_16be(text):
    assert text_from_octets(text.encode("utf-16-be"), "UTF-16BE") == (text, False)


def _whatwg(character: str) -> bytes:
    try:
        return character.encode("cp1252")
    except UnicodeEncodeError:
        return character.encode("latin-1")


@given(st.binary())
def test_every_octet_survives_latin_1_and_hex(octets):
    text = text_from_octets(octets, "ISO-8859-1")[0]
    assert b"".join(map(_whatwg, text)) == octets
    assert bytes.fromhex(text_from_octets(octets, "8-BIT")[0]) == octets


@given(st.binary(max_size=12))
def test_utf_16be_loses_exactly_where_the_standard_has_no_character(octets):
    text, lossy = text_from_octets(octets, "UTF-16BE")
    assert lossy == (text.encode("utf-16-be") != octets)


@pytest.mark.parametrize("row", golden_rows("charset_text"))
def test_golden_text(row):
    given_in = row["input"]
    charset = given_in.get("charset")
    if "parts" in given_in:
        octets = b"".join(bytes.fromhex(part["octets_hex"]) for part in given_in["parts"])
    elif "octets_hex" in given_in:
        octets = bytes.fromhex(given_in["octets_hex"])
    elif "form" in given_in:  # `content` in the GSM alphabet, unpacked, which coding 0 stands for
        content, _, coding = given_in["form"].partition("&coding=")
        octets = unquote_to_bytes(content.removeprefix("content="))
        charset = {"0": GSM_7}[coding]
    else:
        octets = unquote_to_bytes(given_in["form_value"])
    assert text_from_octets(octets, charset) == (row["expected"]["text"], False)
