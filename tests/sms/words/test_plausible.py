"""The texts that octets may have been meant as."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.gsm7.packed import septets_from_packed
from pipeline.sms.words.plausible import LONGEST_LOOKED_AT, plausible_texts

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
