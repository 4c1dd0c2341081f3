"""The text in the octets of a whole message: marks, unexpected charsets, tables, doubt."""

import codecs
from encodings import aliases

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.charset import charset_from_name
from pipeline.sms.gsm7.packed import septets_from_packed
from pipeline.sms.words.plausible import plausible_texts
from pipeline.stages.parts.message_decoding import decoded
from tests.support.assembling import Box, piece
from tests.support.mo import accepted, callback
from tests.wire.smpp.test_callback import UDHI, messages_of, pdu_of, sar

SWAPPED, DOUBT, UNKNOWN = "byte-order-swapped", "unexpected-charset", "unknown-charset"
THREE = ["ISO-8859-1", "UTF-16BE", "8-BIT"]
WINDOWS_ONLY = {"mbcs", "ansi", "dbcs"}


@pytest.mark.parametrize(
    ("octets", "charset", "text", "flags"),
    [
        pytest.param("fffe530054004f005000", "UTF-16BE", "STOP", [SWAPPED], id="swapped"),
        pytest.param("feff00530054004f0050", "UTF-16BE", "STOP", [], id="marked"),
        pytest.param("feff", "UTF-16BE", "", [], id="a-mark-alone"),
        pytest.param("feff0041feff0042", "UTF-16BE", "AB", [], id="marked-part-by-part"),
        pytest.param("fffe3dd800de", "UTF-16", "\U0001f600", [SWAPPED], id="swapped-pair"),
        pytest.param("0041feff0042", "UTF-16BE", "A\ufeffB", [], id="unmarked-keeps-its-feff"),
        pytest.param("530054004f005000", "UTF-16BE", "匀吀伀倀", [DOUBT], id="swapped-no-mark"),
        pytest.param("42064106", "UTF-16BE", "䈆䄆", [DOUBT], id="arabic-swapped-no-mark"),
        pytest.param("53544f50", "UTF-16BE", "\u5354\u4f50", [DOUBT], id="ascii-called-utf-16"),
        pytest.param("4e2d6587", "UTF-16BE", "中文", [], id="chinese"),
        pytest.param("53544f50", "UTF-8", "STOP", [DOUBT], id="utf-8-ascii"),
        pytest.param("636166c3a9", "UTF-8", "café", [DOUBT], id="utf-8"),
        pytest.param("efbbbf53544f50", "utf8", "STOP", [DOUBT], id="utf-8-marked"),
        pytest.param("efbbbf53544f50", "ISO-8859-1", "STOP", [DOUBT], id="utf-8-mark-in-latin-1"),
        pytest.param("fffe530054004f005000", "ISO-8859-1", "STOP", [DOUBT, SWAPPED], id="16-in-1"),
        pytest.param("00530054004f0050", "ISO-8859-1", "\0S\0T\0O\0P", [DOUBT], id="nuls"),
        pytest.param("636166c3a9", "ISO-8859-1", "cafÃ©", [DOUBT], id="utf-8-called-latin-1"),
        pytest.param("636166e9", "UTF-8", "636166e9", [UNKNOWN], id="not-utf-8"),
        pytest.param("446f6e9274208031", "ISO-8859-1", "Don\u2019t €1", [], id="windows-1252"),
        pytest.param("f3f4eff0", "KOI8-R", "СТОП", [DOUBT], id="koi8-r"),
        pytest.param("53005400", "UTF-16LE", "ST", [DOUBT], id="utf-16le"),
        pytest.param("feff00530054", "UTF-16LE", "ST", [DOUBT, SWAPPED], id="utf-16le-in-be"),
        pytest.param("0000005300000054", "UTF-32", "ST", [DOUBT], id="utf-32"),
        pytest.param("fffe000053000000", "UTF-32", "S", [DOUBT, SWAPPED], id="utf-32-swapped"),
        pytest.param("1b2442", "ISO-2022-JP", "1b2442", [UNKNOWN], id="shift-and-no-text"),
        pytest.param("2b2d", "UTF-7", "+", [DOUBT], id="utf-7"),
        pytest.param("2b2f2f38", "UTF-7", "2b2f2f38", [UNKNOWN], id="utf-7-that-hides"),
        pytest.param("53544f50", "no-such", "53544f50", [UNKNOWN], id="no-such-charset"),
        pytest.param("53544F50", "8-bit", "53544f50", [], id="binary"),
    ],
)  # fmt: skip
def test_what_a_callback_says(octets: str, charset: str, text: str, flags: list[str]) -> None:
    (message,) = Box().take(accepted(callback(bytes.fromhex(octets), charset=charset)))
    assert message.text == text
    assert [flag for flag in message.flags if flag != "no-consent"] == flags
    assert message.charset in THREE
    assert not message.lossy


@pytest.mark.parametrize(
    "name",
    [
        *("rot13", "rot_13", "base64", "hex", "quopri", "uu", "zlib", "bz2", "mbcs", "dbcs", "oem"),
        *("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined", "charmap"),
        *("unicode_internal", "string_escape", "os", "..", "encodings.utf_8", "", "0", "l"),
    ],
)
def test_what_is_no_character_set_is_not_known(name: str) -> None:
    assert charset_from_name(name) is None


@pytest.mark.parametrize("name", sorted({*aliases.aliases, *aliases.aliases.values()}))
def test_every_name_that_python_knows(name: str) -> None:
    """A character set is read as Python reads it; any other codec is unknown."""
    charset = charset_from_name(name)
    codec = None if name in WINDOWS_ONLY else codecs.lookup(aliases.aliases.get(name, name))
    if codec is None or not codec._is_text_encoding or (len(name) < 3 and name.isdigit()):
        assert charset is None
    else:
        assert charset is not None
        assert decoded(codec.encode("STOP")[0], charset).text == "STOP"


@given(st.text(max_size=40), st.sampled_from(["utf-8", "utf-16-le", "gb18030", "utf-32-be"]))
def test_what_another_charset_holds_is_read(text: str, name: str) -> None:
    octets = text.encode(name)
    charset = charset_from_name(name)
    assert charset is not None
    found = decoded(octets, charset)
    if not text.startswith("\ufeff") and not octets.startswith((b"\xfe\xff", b"\xff\xfe")):
        assert found.text == text


@given(st.binary(max_size=60), st.sampled_from([*THREE, "GSM-7", "utf_8", "cp1251", "utf_16_le"]))
def test_octets_and_charset_of_a_message_make_its_text(octets: bytes, charset: str) -> None:
    found = decoded(octets, charset)
    assert found.charset in THREE
    assert (
        bool(found.text)
        or octets in (b"", b"\xfe\xff", b"\xff\xfe")
        or "feff" in octets.hex()
        or "fffe" in octets.hex()
        or "efbbbf" in octets.hex()
    )
    if not found.lossy:
        assert decoded(found.octets, found.charset).text == found.text


@given(st.data())
def test_wherever_octets_are_cut_the_text_is_the_same(data: st.DataObject) -> None:
    charset = data.draw(st.sampled_from(["ISO-8859-1", "UTF-16BE", "8-BIT", "UTF-8", "KOI8-R"]))
    marks = [b"", b"\xfe\xff", b"\xff\xfe", b"\xef\xbb\xbf"]
    octets = data.draw(st.sampled_from(marks)) + data.draw(st.binary(min_size=2, max_size=30))
    at = data.draw(st.integers(0, len(octets)))
    (whole,) = Box().take(accepted(callback(octets, charset=charset)))
    cut = Box().take_all(
        [
            piece(n, each, of=2, charset=charset, mo_msg_id=str(n))
            if each
            else accepted(callback(b"", udh=f"05000307020{n}", charset=charset, mo_msg_id=str(n)))
            for n, each in ((2, octets[at:]), (1, octets[:at]))
        ]
    )
    assert [(m.text, m.lossy, m.charset, m.octets, m.flags) for m in cut] == [
        (whole.text, whole.lossy, whole.charset, whole.octets, whole.flags)
    ]


def test_the_mark_of_the_first_part_rules_over_a_gap() -> None:
    first = piece(1, b"\xff\xfeA\0", charset="UTF-16BE")
    third = piece(3, b"B\0", charset="UTF-16BE")
    box = Box()
    assert box.take_all([first, third]) == []
    (message,) = box.tick(first.received_at.replace(year=2027))
    assert (message.text, message.complete) == ("AB", False)


@pytest.mark.parametrize(
    ("udh", "octets", "text", "lossy", "flags"),
    [
        pytest.param("03250101", "044807", "€H\u0131", False, [], id="turkish"),
        pytest.param("0325010e", "53544f50", "STOP", True, ["unknown-language-table"], id="14"),
        pytest.param("03240100", "53544f50", "STOP", True, ["unknown-language-table"], id="0"),
    ],
)
def test_a_deliver_sm_with_tables(
    udh: str, octets: str, text: str, lossy: bool, flags: list[str]
) -> None:
    (message,) = messages_of(pdu_of(bytes.fromhex(udh + octets), esm_class=UDHI))
    assert (message.text, message.lossy, message.flags) == (text, lossy, flags)


def test_each_part_is_read_by_its_own_tables_and_an_escape_by_those_of_its_character() -> None:
    first = pdu_of(bytes.fromhex("03250101" + "0448071b"), esm_class=UDHI, tlvs=sar(7, 2, 1))
    second = pdu_of(bytes.fromhex("03240101" + "5348"), esm_class=UDHI, tlvs=sar(7, 2, 2))
    (message,) = messages_of(first, second)
    assert (message.text, message.lossy) == ("€H\u0131ŞH", False)


@pytest.mark.parametrize("word", ["STOP", "END", "CANCEL", "UNSUBSCRIBE", "QUIT", "stop", "quit"])
@pytest.mark.parametrize("charset", ["ISO-8859-1", "UTF-16BE", "GSM-7", "utf_8", "cp1251"])
def test_no_stop_word_hides_unflagged_behind_a_wrong_name(word: str, charset: str) -> None:
    """For every coding: the word is read, or the message is in doubt and the word is plausible."""
    bits = sum(ord(c) << 7 * at for at, c in enumerate(word))
    packed = bits.to_bytes(-(-7 * len(word) // 8), "little")
    assert septets_from_packed(packed)[: len(word)] == word.encode()
    codings = [word.encode(), packed, packed + b"\0"]
    codings += [word.encode(each) for each in ("utf-16-be", "utf-16-le", "utf-16", "utf-8-sig")]
    for octets in codings:
        found = decoded(octets, charset)
        read = found.text.strip("@\0\r") == word
        assert read or found.flags or found.lossy, octets.hex()
        assert read or word in plausible_texts(octets), octets.hex()
