"""Every data_coding against the tables of 3GPP TS 23.038 clause 4, written out a second time."""

import pytest

from pipeline.wire.smpp.coding import charset_from_data_coding

GSM, BIN, UCS = "GSM-7", "8-BIT", "UTF-16BE"

# Clause 4, pattern of bits 7 to 0: its alphabet. x is any, later lines do not override earlier.
CLAUSE_4 = [
    ("00x0 00xx", GSM), ("00x0 01xx", BIN), ("00x0 10xx", UCS), ("00x0 11xx", GSM),
    ("01x0 00xx", GSM), ("01x0 01xx", BIN), ("01x0 10xx", UCS), ("01x0 11xx", GSM),
    ("00x1 00xx", GSM), ("00x1 01xx", BIN), ("00x1 10xx", UCS), ("00x1 11xx", GSM),
    ("01x1 00xx", GSM), ("01x1 01xx", BIN), ("01x1 10xx", UCS), ("01x1 11xx", GSM),
    ("10xx xxxx", GSM),  # reserved coding groups
    ("1100 xxxx", GSM),  # message waiting: discard
    ("1101 xxxx", GSM),  # message waiting: store
    ("1110 xxxx", UCS),  # message waiting: store, uncompressed UCS2
    ("1111 x0xx", GSM), ("1111 x1xx", BIN),
]  # fmt: skip
COMPRESSED = ("001x xxxx", "011x xxxx")
SMPP = {0: GSM, 1: "US-ASCII", 2: BIN, 3: "ISO-8859-1", 4: BIN, 8: UCS}  # SMPP 3.4 5.2.19


def matches(pattern: str, value: int) -> bool:
    bits = f"{value:08b}"
    return all(p in ("x", b) for p, b in zip(pattern.replace(" ", ""), bits, strict=True))


def expected(value: int) -> str:
    if value in SMPP:
        return SMPP[value]
    if any(matches(pattern, value) for pattern in COMPRESSED):
        return BIN
    (found,) = (alphabet for pattern, alphabet in CLAUSE_4 if matches(pattern, value))
    return found


@pytest.mark.parametrize("value", range(256))
def test_every_data_coding(value: int) -> None:
    assert charset_from_data_coding(value, alphabet="gsm7")[0] == expected(value)


@pytest.mark.parametrize("value", range(256))
def test_the_default_alphabet_is_the_bind_s(value: int) -> None:
    charset = charset_from_data_coding(value, alphabet="latin1")[0]
    assert charset == {GSM: "ISO-8859-1"}.get(expected(value), expected(value))


def test_what_is_in_doubt() -> None:
    """Codings that 23.038 reserves, or that SMPP 3.4 5.2.19 names otherwise."""
    doubted = {value for value in range(256) if not charset_from_data_coding(value, alphabet="")[1]}
    smpp_says_otherwise = {5, 6, 7, 9, 10, 11, 12, 13, 14, 15}
    reserved = {v for v in range(16, 128) if v & 0b1100 == 0b1100} | set(range(0x80, 0xC0))
    waiting = {v for v in range(0xC0, 0xF0) if v & 0b100}
    message_class = set(range(0xF8, 0x100))
    assert doubted == smpp_says_otherwise | reserved | waiting | message_class
