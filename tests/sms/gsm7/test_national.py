"""National language tables (3GPP TS 23.038 Annex A) against an independent reading of the annex."""

import pytest
from gsmcodecs.charmaps import GSMCHARMAPS

from pipeline.sms.gsm7.default import text_from_septets
from pipeline.sms.gsm7.locking import LOCKING
from pipeline.sms.gsm7.national import DEFAULT, tables_from_udh
from pipeline.sms.gsm7.single import SINGLE_SHIFT

ESCAPE, CONTROL = 0x1B, 0x0D  # reserved in every single shift table
TELUGU, EURO = 0x0C, 0x65  # gsmcodecs has no euro sign there; Android's and Mozilla's tables have


@pytest.mark.parametrize("identifier", range(1, 14))
def test_every_place_of_the_locking_tables(identifier: int) -> None:
    theirs = GSMCHARMAPS[identifier].get("locking")
    assert (identifier in LOCKING) == (theirs is not None)
    for septet, character in enumerate(LOCKING.get(identifier, ())):
        if septet != ESCAPE:
            code = theirs["decode"].get(septet)
            assert character == ("" if code is None else chr(code)), hex(septet)


@pytest.mark.parametrize("identifier", range(1, 14))
def test_every_place_of_the_single_shift_tables(identifier: int) -> None:
    theirs = {
        septet: chr(code)
        for septet, code in GSMCHARMAPS[identifier]["singleShift"]["decode"].items()
        if septet not in (ESCAPE, CONTROL)
    }
    if identifier == TELUGU:
        theirs[EURO] = "€"
    assert SINGLE_SHIFT[identifier] == theirs


# A second reading, rows of Mozilla's ril_consts.js and Android's GsmAlphabet: the places where
# scripts differ from each other.
@pytest.mark.parametrize(
    ("udh", "octets", "text"),
    [
        pytest.param("03250101", "044807", "€H\u0131", id="turkish"),
        pytest.param("03250101", "0b0c1c1d40", "ĞğŞşİ", id="turkish-locking"),
        pytest.param("03240101", "1b471b491b531b63", "ĞİŞç", id="turkish-single"),
        pytest.param("03240102", "1b091b411b75", "çÁú", id="spanish-single"),
        pytest.param("03250103", "1215171819", "ª∞\\€Ó", id="portuguese-locking"),
        pytest.param("03240103", "1b151b191b611b7f", "ΩΘÂâ", id="portuguese-single"),
        pytest.param("03250104", "607b7c7f", "\u09ce\u09d7\u09dc\u09f1", id="bengali"),
        pytest.param("03250105", "0c11607f", "\u0a8d\u0a91\u0ad0\u0af1", id="gujarati"),
        pytest.param("03250106", "0e3c5d7b7f", "\u090e\u0929\u094b\u0972\u097f", id="hindi"),
        pytest.param("03250107", "4e607b", "\u0cbc\u0cd5\u0cd6", id="kannada"),
        pytest.param("03250108", "48607f", "\u0d34\u0d57\u0d79", id="malayalam"),
        pytest.param("03250109", "49607b", "\u0b35\u0b56\u0b57", id="oriya"),
        pytest.param("0325010a", "4a607b7f", "\u0a36\u0a51\u0a70\u0a74", id="punjabi"),
        pytest.param("0325010b", "3c607b7f", "\u0ba9\u0bd0\u0bd7\u0bf9", id="tamil"),
        pytest.param("0325010c", "4e607b", "\ufffd\u0c55\u0c56", id="telugu-with-a-hole"),
        pytest.param("0325010d", "00041e5a607f", "\u0627\u0680\u0689\u06d0\u0654\u0670", id="urdu"),
        pytest.param("0324010d", "1b191b3b1b3f", "\u0600\u06cd\u06d4", id="urdu-single"),
        pytest.param("0324010c", "1b651b1c1b32", "€\u0c66\u0c7f", id="telugu-single"),
        # 6.2.1.2.2: what the single shift table lacks is the locking table's
        pytest.param("06240101250101", "1b04", "€", id="escape-before-what-is-not-there"),
    ],
)
def test_places_of_the_tables(udh: str, octets: str, text: str) -> None:
    tables = tables_from_udh(bytes.fromhex(udh))
    assert not tables.unknown
    assert text_from_septets(bytes.fromhex(octets), tables.locking, tables.single)[0] == text


@pytest.mark.parametrize("identifier", [0, 14, 15, 127, 255])
@pytest.mark.parametrize("element", [0x24, 0x25])
def test_a_reserved_table_is_the_default_one_and_unknown(element: int, identifier: int) -> None:
    tables = tables_from_udh(bytes((3, element, 1, identifier)))
    assert tables == DEFAULT._replace(unknown=True)


@pytest.mark.parametrize("udh", ["", "03250102", "022500", "0425020101", "032501", "0325", "25"])
def test_no_header_fails_and_wrong_ones_name_no_table(udh: str) -> None:
    tables = tables_from_udh(bytes.fromhex(udh))
    assert (tables.locking, tables.single) == (DEFAULT.locking, DEFAULT.single)


def test_a_reference_that_is_24_names_no_table() -> None:
    assert tables_from_udh(bytes.fromhex("050003240201")) == DEFAULT


def test_of_two_elements_the_last_counts() -> None:
    assert tables_from_udh(bytes.fromhex("06250101250103")).locking == LOCKING[3]
