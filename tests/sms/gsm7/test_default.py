"""The GSM 7 bit default alphabet (3GPP TS 23.038 6.2.1)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sms.gsm7.default import (
    BASIC,
    EXTENSION,
    septets_from_text,
    septets_of,
    text_from_septets,
)

ALPHABET = [c for c in BASIC if c != "\x1b"] + list(EXTENSION.values())


def test_the_alphabet_has_its_size() -> None:
    assert len(BASIC) == 128
    assert len(set(ALPHABET)) == 127 + 10


# 3GPP TS 23.038 6.2.1: places of the table that are easily taken for others.
@pytest.mark.parametrize(
    ("code", "character"),
    [
        (0x00, "@"), (0x02, "$"), (0x09, "\u00c7"), (0x0B, "\u00d8"), (0x10, "\u0394"), (0x11, "_"),
        (0x1C, "\u00c6"), (0x24, "\u00a4"), (0x40, "\u00a1"), (0x5F, "\u00a7"), (0x60, "\u00bf"),
        (0x7F, "\u00e0"), (0x41, "A"), (0x7A, "z"), (0x20, " "),
    ],
)  # fmt: skip
def test_places_of_the_table(code: int, character: str) -> None:
    assert septets_from_text(character) == bytes([code])
    assert text_from_septets(bytes([code])) == (character, False)


@pytest.mark.parametrize(
    ("character", "septets"), [("a", 1), ("\u20ac", 2), ("[", 2), ("\u0151", 0), ("`", 0)]
)
def test_septets_of_a_character(character: str, septets: int) -> None:
    assert septets_of(character) == septets


@given(st.text(alphabet=st.sampled_from(ALPHABET)))
def test_what_was_written_is_read(text: str) -> None:
    octets = septets_from_text(text)
    assert octets is not None
    assert text_from_septets(octets) == (text, False)


@given(st.binary())
def test_any_octets_can_be_read_and_none_vanishes(octets: bytes) -> None:
    text, _ = text_from_septets(octets)
    assert bool(text) == bool(octets)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1b\x41", "A"),
        (b"\x1b\x1b", " "),
        (b"a\x1b", "a "),
        (b"a\x80b", "a\ufffdb"),
        (b"\x1b\xffb", " \ufffdb"),
    ],
)
def test_what_the_tables_lack_is_shown_and_said_to_lose(octets: bytes, text: str) -> None:
    assert text_from_septets(octets) == (text, True)


def test_a_text_outside_the_alphabet_has_no_septets() -> None:
    assert septets_from_text("a\u0151") is None


@given(st.binary() | st.binary().map(lambda octets: bytes(octet & 0x7F for octet in octets)))
def test_the_table_read_at_once_gives_what_it_gives_one_by_one(octets: bytes) -> None:
    assert text_from_septets(octets) == text_from_septets(octets, tuple(BASIC))


@pytest.mark.parametrize("octet", range(256))
def test_each_octet_is_read_at_once_as_alone(octet: int) -> None:
    octets = bytes((octet,))
    assert text_from_septets(octets) == text_from_septets(octets, tuple(BASIC))
