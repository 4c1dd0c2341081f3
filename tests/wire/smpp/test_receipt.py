"""What a delivery receipt says, in each SMSC's form (SMPP 3.4 appendix B, 5.2.28, 5.3.2)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.smpp import callback as smpp_callback
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.deliver import DeliverSm
from pipeline.wire.smpp.receipt import (
    Receipt,
    key_of_message_id,
    keys_of_message_id,
    receipt_from_deliver,
)
from pipeline.wire.smpp.tlv import Tlv
from tests.hostile.growth import refuse_steep_growth
from tests.wire.smpp.test_callback import row_of

if TYPE_CHECKING:
    from collections.abc import Callable

ID = "6a3ed98a66444e8abac3acd9bba8656f"


def receipt_of(text: str | bytes = b"", *, tlvs: tuple[Tlv, ...] = (), **fields: Any) -> Receipt:
    octets = text.encode("latin-1") if isinstance(text, str) else text
    return receipt_from_deliver(
        DeliverSm(
            source="447700900123",
            destination="447700900999",
            esm_class=fields.pop("esm_class", 0x04),
            short_message=octets,
            tlvs=tlvs,
            **fields,
        )
    )


def golden(name: str) -> Receipt:
    pdu = smpp_pdu.parse(bytes.fromhex(row_of("smpp_pdu", name)["input"]["pdu_hex"]))
    assert pdu is not None
    deliver = smpp_callback.deliver_from_pdu(pdu)
    assert isinstance(deliver, DeliverSm)
    return receipt_from_deliver(deliver)


@pytest.mark.parametrize(
    ("name", "message_id", "status", "state", "at"),
    [
        (
            "smpp-001",
            "6a3ed98a66444e8abac3acd9bba8656f",
            "007",
            "UNDELIVERABLE",
            "2014-10-15 22:38",
        ),
        ("smpp-004", "6aad5", "004", "DELIVERED", "2015-04-21 13:08"),
        ("smpp-007", "145100315320224957", "004", "DELIVERED", "2015-10-03 15:32"),
        ("smpp-013", "18d0e03a", "004", "DELIVERED", "2021-01-04 13:22"),
    ],
)
def test_captured_receipts(name: str, message_id: str, status: str, state: str, at: str) -> None:
    receipt = golden(name)
    assert (receipt.message_id, receipt.status, receipt.state) == (message_id, status, state)
    assert receipt.at == datetime.fromisoformat(at).replace(tzinfo=UTC)


APPENDIX_B = (
    "id:IIIIIIIIII sub:001 dlvrd:001 submit date:2611280700 done date:2611280710"
    " stat:DELIVRD err:000 text:Simple Message"
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(APPENDIX_B, ("IIIIIIIIII", "004"), id="appendix-b"),
        pytest.param(APPENDIX_B.upper(), ("IIIIIIIIII", "004"), id="upper-case"),
        pytest.param("stat:EXPIRED id:7 err:010", ("7", "010"), id="another-order"),
        pytest.param("id:7", ("7", ""), id="id-only"),
        pytest.param("stat:UNDELIV", ("", "007"), id="state-only"),
        pytest.param("id:7 stat:UNDELIV err:5", ("7", "005"), id="err-says-it-closer"),
        pytest.param("id:7 stat:UNDELIV err:0009", ("7", "009"), id="err-of-four-digits"),
        pytest.param("id:7 stat:UNDELIV err:004", ("7", "007"), id="err-contradicts-the-state"),
        pytest.param("id:7 stat:DELIVRD err:007", ("7", "004"), id="err-contradicts-delivered"),
        pytest.param("id:7 stat:UNDELIV err:27", ("7", "007"), id="err-of-a-network"),
        pytest.param("id:7 err:004", ("7", "004"), id="no-state"),
        pytest.param("id:7 stat:FAILED err:999", ("7", ""), id="no-state-that-is-known"),
        pytest.param("id:7 stat:ENROUTE err:002", ("7", "002"), id="on-the-way"),
        pytest.param("id:7 stat:ACCEPTD", ("7", "003"), id="accepted"),
        pytest.param("id:7 stat:REJECTD", ("7", "005"), id="rejected"),
        pytest.param("id:7 stat:DELETED", ("7", "006"), id="deleted"),
        pytest.param("id:7 stat:UNKNOWN err:007", ("7", "001"), id="unknown"),
        pytest.param("id : 7 stat : DELIVRD", ("7", "004"), id="blanks"),
        pytest.param("id:7 stat:UNDELIV text:id:8 stat:DELIVRD err:004", ("7", "007"), id="text"),
        pytest.param("id:7 text:stat:DELIVRD", ("7", ""), id="a-text-says-nothing"),
        pytest.param("text: id:7 stat:DELIVRD", ("7", "004"), id="text-comes-first"),
        pytest.param("id:7 stat:DELIVRD\0", ("7", "004"), id="ended-by-nul"),
        pytest.param("bid:8 id:7 restat:UNDELIV", ("7", ""), id="part-of-a-word"),
        pytest.param("id: stat:DELIVRD", ("", "004"), id="no-id"),
        pytest.param("", ("", ""), id="nothing"),
        pytest.param("Your order is on its way", ("", ""), id="no-receipt"),
        pytest.param(f"id:{'7' * 65} stat:DELIVRD", ("", "004"), id="no-id-is-so-long"),
        pytest.param("id:7 err:²", ("7", ""), id="no-digit-of-ascii"),
    ],
)
def test_text_forms(text: str, expected: tuple[str, str]) -> None:
    receipt = receipt_of(text)
    assert (receipt.message_id, receipt.status) == expected


@pytest.mark.parametrize(
    ("digits", "at"),
    [
        ("2611280710", datetime(2026, 11, 28, 5, 10, tzinfo=UTC)),
        ("261128071059", datetime(2026, 11, 28, 5, 10, 59, tzinfo=UTC)),
        ("20261128071059", datetime(2026, 11, 28, 5, 10, 59, tzinfo=UTC)),
        ("202611280710", datetime(2026, 11, 28, 5, 10, tzinfo=UTC)),
        ("261128071059000+", datetime(2026, 11, 28, 5, 10, 59, tzinfo=UTC)),
        ("2613280710", None),
        ("0000000000", None),
        ("26112807", None),
        ("", None),
        ("26112807①0", None),
    ],
)
def test_dates(digits: str, at: datetime | None) -> None:
    text = f"id:7 done date:{digits} stat:DELIVRD".encode("utf-16-be")
    assert receipt_of(text, data_coding=8).at == at


@pytest.mark.parametrize("key", ["submit date", "Submit_Date", "submitdate"])
def test_the_date_of_submission_is_not_when_it_became_so(key: str) -> None:
    assert receipt_of(f"id:7 {key}:2611280710 stat:DELIVRD").at is None


@pytest.mark.parametrize(
    ("value", "status"),
    [
        *enumerate(["011", "003", "004", "010", "006", "007", "003", "001", "005", "007"]),
        (10, ""),
        (255, ""),
    ],
)
def test_message_state_comes_before_the_text(value: int, status: str) -> None:
    tlvs = (Tlv(0x0427, bytes([value])),)
    assert receipt_of("id:7", tlvs=tlvs).status == status
    if status:
        assert receipt_of("id:7 stat:DELIVRD", tlvs=tlvs).status == status


def test_receipted_message_id_comes_before_the_text() -> None:
    assert receipt_of("id:7", tlvs=(Tlv(0x001E, b"abc\0"),)).message_id == "abc"
    assert receipt_of("id:7", tlvs=(Tlv(0x001E, b"abc"),)).message_id == "abc"
    assert receipt_of("id:7", tlvs=(Tlv(0x001E, b"\0"),)).message_id == "7"
    assert receipt_of("id:7", tlvs=(Tlv(0x001E, b"a b\0"),)).message_id == "7"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (b"\x03\x00\x01", "1"),
        (b"\x03\x00\x0b", "11"),
        (b"\x03\x03\xe7", "999"),  # the three examples of Clickatell's page
        (b"\x03\x00\x00", ""),
        (b"000", ""),
        (b"007", "7"),
        (b"\x03\x00", ""),
        (b"", ""),
    ],
)
def test_network_error_code(value: bytes, code: str) -> None:
    tlvs = (Tlv(0x0427, b"\x05"), Tlv(0x0423, value))
    receipt = receipt_of(tlvs=tlvs)
    assert (receipt.network_error, receipt.status) == (code, "007")
    assert receipt.words == f"stat:UNDELIVERABLE err:{code}".removesuffix(" err:")


def test_the_words_hold_neither_text_nor_number() -> None:
    receipt = receipt_of(APPENDIX_B.replace("DELIVRD", "+447700900123"))
    assert "Simple" not in receipt.words
    assert "900123" not in receipt.words


def test_a_receipt_in_message_payload_with_a_header() -> None:
    payload = bytes.fromhex("050003380502") + APPENDIX_B.encode()
    receipt = receipt_of(tlvs=(Tlv(0x0424, payload),), esm_class=0x44)
    assert (receipt.message_id, receipt.status) == ("IIIIIIIIII", "004")


@pytest.mark.parametrize(
    ("answered", "named"),
    [
        (ID, ID.upper()),
        ("18d0e03a", "0416342074"),  # smpp-013
        ("6aad5", "0000436949"),  # smpp-004
        ("0416342074", "18D0E03A"),
        ("0000436949", "436949"),
        ("0", "0000"),
    ],
)
def test_ids_join_in_hex_or_decimal_with_zeros_or_without(answered: str, named: str) -> None:
    assert key_of_message_id(answered) in keys_of_message_id(named)


def test_other_ids_do_not_join() -> None:
    assert key_of_message_id("18d0e03b") not in keys_of_message_id("0416342074")
    assert keys_of_message_id("") == ("",)
    assert keys_of_message_id("a-1") == ("a-1",)


@given(st.binary(max_size=254), st.binary(max_size=8), st.integers(0, 255))
def test_any_octets_make_a_receipt(text: bytes, value: bytes, coding: int) -> None:
    tlvs = tuple(Tlv(tag, value) for tag in (0x001E, 0x0423, 0x0427))
    receipt = receipt_of(text, tlvs=tlvs, data_coding=coding)
    assert receipt.status == "" or (len(receipt.status) == 3 and receipt.status.isdigit())
    assert receipt.message_id.isprintable()
    assert receipt.words.isprintable()
    assert keys_of_message_id(receipt.message_id)


@pytest.mark.parametrize("unit", ["id:", "submit ", "stat:DELIVRD ", " ", "text", "0"])
def test_reading_is_linear(unit: str) -> None:
    def reading(octets: int) -> Callable[[], object]:
        payload = (unit * (octets // len(unit))).encode()
        return lambda: receipt_of(tlvs=(Tlv(0x0424, payload),))

    refuse_steep_growth(reading, largest=60_000)
