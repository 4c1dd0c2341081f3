"""The texts that may have been meant by octets."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.gsm7.packed import septets_from_packed
from pipeline.sms.words.plausible import LONGEST_LOOKED_AT, plausible_texts
from pipeline.sms.words.regional import _CODECS, _LONGEST, _NOT_OF_ASCII, regional_texts

STOP = b"STOP"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        pytest.param(STOP, "STOP", id="ascii"),
        pytest.param(STOP.hex().encode(), "STOP", id="hex"),
        pytest.param(b"53 54 4F 50", "STOP", id="hex-with-blanks"),
        pytest.param(b"0x53544f50", "STOP", id="hex-with-prefix"),
        pytest.param(STOP.hex().encode().hex().encode(), "STOP", id="hex-of-hex"),
        pytest.param("STOP".encode("utf-16-be").hex().encode(), "STOP", id="hex-of-utf-16be"),
        pytest.param(b"%53%54%4F%50", "STOP", id="percent-encoded-twice"),
        pytest.param(b"%00S%00T%00O%00P", "STOP", id="utf-16be-percent-encoded-twice"),
        pytest.param(b"&#83;&#x54;&#79;P", "STOP", id="character-references"),
        pytest.param("STOP".encode("utf-16-be"), "STOP", id="utf-16be"),
        pytest.param("STOP".encode("utf-16-le"), "STOP", id="utf-16le"),
        pytest.param(b"\xff\xfeS\0T\0O\0P\0", "STOP", id="marked-utf-16le"),
        pytest.param(b"\xfe\xff\0S\0T\0O\0P", "STOP", id="marked-utf-16be"),
        pytest.param(b"\xef\xbb\xbfSTOP", "STOP", id="marked-utf-8"),
        pytest.param("STOP".encode("utf-32-be"), "STOP", id="utf-32be"),
        pytest.param(b"S\0T\0O\0P", "STOP", id="utf-16-cut-by-one-octet"),
        pytest.param("قف".encode("utf-16-be"), "قف", id="arabic"),
        pytest.param("قف".encode(), "قف", id="arabic-in-utf-8"),
        pytest.param(b"+AFMAVABPAFA-", "STOP", id="utf-7"),
        pytest.param("arrêt".encode("cp1252"), "arrêt", id="windows-1252"),
        pytest.param(b"arr\x07t", "arrìt", id="gsm-7-unpacked"),
        # 3GPP TS 23.038 6.1.2.1.1: 53 | 54 << 7 | 4F << 14 | 50 << 21, lowest octet first
        pytest.param(bytes.fromhex("53ea130a"), "STOP", id="gsm-7-packed"),
        pytest.param(bytes.fromhex("e8329bfd4697d9ec37"), "hellohello", id="gsm-7-packed-known"),
    ],
)  # fmt: skip
def test_each_decoding_is_tried(octets: bytes, text: str) -> None:
    assert text in plausible_texts(octets)


@given(st.binary(max_size=64))
def test_no_octets_fail_and_none_but_empty_ones_have_no_text(octets: bytes) -> None:
    texts = plausible_texts(octets)
    assert any(texts) == bool(octets)
    assert len(set(texts)) == len(texts)
    for text in texts:
        text.encode()


@given(st.binary(min_size=LONGEST_LOOKED_AT + 1, max_size=4 * LONGEST_LOOKED_AT))
def test_long_octets_are_read_whole_or_not_at_all(octets: bytes) -> None:
    assert octets.decode("latin-1") in plausible_texts(octets)


def test_a_text_padded_beyond_the_bound_is_still_found() -> None:
    text = "\u200b" * LONGEST_LOOKED_AT + "STOP"
    assert text in plausible_texts(text.encode("utf-16-be"))


@given(st.lists(st.integers(0, 0x7F), min_size=1, max_size=60), st.integers(0, 6))
def test_packed_septets_are_unpacked(septets: list[int], fill_bits: int) -> None:
    bits = sum(septet << 7 * at for at, septet in enumerate(septets)) << fill_bits
    octets = bits.to_bytes(-(-(7 * len(septets) + fill_bits) // 8), "little")
    assert list(septets_from_packed(octets, fill_bits=fill_bits))[: len(septets)] == septets


@given(st.binary(max_size=200), st.integers(0, 6))
def test_septets_are_the_digits_of_one_number(octets: bytes, fill_bits: int) -> None:
    """3GPP TS 23.038 6.1.2.1.1, as a number in base 128."""
    number, bits = int.from_bytes(octets, "little") >> fill_bits, len(octets) * 8 - fill_bits
    expected = [number >> at & 0x7F for at in range(0, bits - 6, 7)]
    assert list(septets_from_packed(octets, fill_bits=fill_bits)) == expected


@pytest.mark.parametrize("codec", _CODECS)
def test_a_codec_that_is_left_out_for_ascii_reads_it_as_ascii(codec: str) -> None:
    """For each pair: no ASCII octet changes the meaning of the next one."""
    for first in range(128):
        octets = b"".join(bytes((first, second)) for second in range(128))
        is_ascii = octets.decode(codec) == octets.decode("ascii")
        assert is_ascii or codec in _NOT_OF_ASCII


@given(st.binary(max_size=70).map(lambda octets: bytes(octet & 0x7F for octet in octets)))
def test_the_regional_texts_of_ascii_are_those_of_every_codec(octets: bytes) -> None:
    expected = {octets.decode(codec) for codec in _CODECS} if len(octets) <= _LONGEST else set()
    assert set(regional_texts(octets)) == expected


@given(
    st.binary(max_size=40) | st.lists(st.sampled_from(b"\0\x10STOP+"), max_size=20).map(bytes),
    st.sampled_from(("utf-8", "utf-16-be", "utf-16-le", "utf-32-be", "utf-32-le")),
)
def test_each_unicode_form_is_tried_also_without_an_octet_or_with_one_more(octets, form) -> None:
    """The forms that are left out as impossible would not be read by a strict reader."""
    odd = (octets[:-1], octets[1:], octets + b"\0", b"\0" + octets) if len(octets) % 2 else ()
    for each in (octets, *odd):
        with suppress(UnicodeDecodeError):
            text = each.decode(form).removeprefix("\ufeff")
            assert not each or text in plausible_texts(octets)
