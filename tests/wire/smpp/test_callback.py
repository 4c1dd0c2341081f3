"""A deliver_sm becomes its callback, its part and its message."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.records import Flag, MoMessage, MoPart, MoRaw, Rejected
from pipeline.sms.gsm7.default import septets_from_text
from pipeline.stages.parts.normalise import normalise
from pipeline.stages.parts.reassemble import message_from_part, reassemble
from pipeline.wire.callback import MoCallback
from pipeline.wire.smpp import callback as smpp_callback
from pipeline.wire.smpp import data as smpp_data
from pipeline.wire.smpp import deliver as smpp_deliver
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.deliver import DeliverSm
from pipeline.wire.smpp.pdu import Command, Pdu
from pipeline.wire.smpp.tlv import MESSAGE_PAYLOAD, Tlv
from tests.support.golden_rows import golden_rows
from tests.support.mo import DIRECTORY, HANDSET, NOON, NUMBER, Seen

SPREAD, TIMEOUT = timedelta(hours=1), timedelta(hours=24)
UDHI = smpp_callback.UDHI


def row_of(file: str, name: str) -> dict[str, Any]:
    """One golden row."""
    (found,) = [p.values[0] for p in golden_rows(file) if p.values[0]["id"] == name]
    return found


def sar(reference: int, total: int, number: int) -> tuple[Tlv, ...]:
    """The three `sar_*` parameters of a part."""
    return (
        Tlv(0x020C, reference.to_bytes(2, "big")),
        Tlv(0x020E, bytes([total])),
        Tlv(0x020F, bytes([number])),
    )


def pdu_of(text: bytes = b"hello", **fields: Any) -> bytes:
    """A deliver_sm of our handset to our number."""
    deliver = DeliverSm(
        **{"source": HANDSET, "destination": NUMBER, "short_message": text} | fields
    )
    return smpp_pdu.render(Pdu(Command.DELIVER_SM, 0, 1, smpp_deliver.render(deliver)))


def data_sm_of(text: bytes = b"hello", *, tlvs: tuple[Tlv, ...] = (), **fields: Any) -> bytes:
    """A data_sm of our handset to our number; its text is a message_payload."""
    payload = (Tlv(MESSAGE_PAYLOAD, text),) if text else ()
    deliver = DeliverSm(
        **{"source": HANDSET, "destination": NUMBER, "tlvs": (*payload, *tlvs)} | fields
    )
    return smpp_pdu.render(Pdu(Command.DATA_SM, 0, 1, smpp_data.render(deliver)))


def raw_of(pdu: bytes, *, alphabet: str = "gsm7") -> MoRaw:
    return MoRaw(
        source="smpp",
        received_at=NOON,
        method="",
        content_type="",
        query=b"",
        octets=pdu,
        alphabet=alphabet,
    )


def part_of(pdu: bytes, *, offset: int = 0, alphabet: str = "gsm7") -> MoPart:
    part = normalise(
        raw_of(pdu, alphabet=alphabet),
        partition=0,
        offset=offset,
        directory=DIRECTORY,
        default_charset="ISO-8859-1",
    )
    assert isinstance(part, MoPart)
    return part


def messages_of(*pdus: bytes, alphabet: str = "gsm7") -> list[MoMessage]:
    """The messages of these PDUs, in sequence."""
    seen, row, found = Seen(), None, []
    for offset, pdu in enumerate(pdus):
        part = seen.accept(part_of(pdu, offset=offset, alphabet=alphabet))
        assert part is not None
        if not part.reference_bits:
            found.append(message_from_part(part, account="main"))
            continue
        row, released = reassemble(row, part, spread=SPREAD, timeout=TIMEOUT, account="main")
        found += released
    return found


def test_a_message_has_the_api_id_of_its_number_and_our_receipt_as_its_time() -> None:
    part = part_of(pdu_of())
    assert (part.handset, part.number, part.api_id) == (HANDSET, NUMBER, "12345")
    assert part.gateway_time == part.received_at == NOON
    assert part.flags == []
    assert part.source == "smpp"


def test_a_number_that_is_not_listed_has_no_api_id_and_is_flagged() -> None:
    part = part_of(pdu_of(destination="15550100"))
    assert (part.api_id, part.flags) == ("", [Flag.UNKNOWN_NUMBER])


@pytest.mark.parametrize(
    ("data_coding", "octets", "text", "charset", "flags"),
    [
        pytest.param(0, b"\x00\x05\x1be", "@é€", "UTF-16BE", [], id="gsm7-not-in-latin-1"),
        pytest.param(0, b"caf\x05", "café", "ISO-8859-1", [], id="gsm7"),
        pytest.param(1, b"cafe", "cafe", "ISO-8859-1", [], id="ascii"),
        pytest.param(3, b"caf\xe9", "café", "ISO-8859-1", [], id="latin-1"),
        pytest.param(8, b"\xd8\x3d\xde\x00", "😀", "UTF-16BE", [], id="ucs-2"),
        pytest.param(2, b"\x00\xff", "00ff", "8-BIT", [], id="binary-2"),
        pytest.param(4, b"\x00\xff", "00ff", "8-BIT", [], id="binary-4"),
        pytest.param(241, b"STOP", "STOP", "ISO-8859-1", [], id="241"),
        pytest.param(6, b"\xe1", "e1", "8-BIT", [Flag.UNEXPECTED_DATA_CODING], id="iso-8859-5"),
    ],
)
def test_data_coding_says_how_the_octets_are_read(
    data_coding: int, octets: bytes, text: str, charset: str, flags: list[str]
) -> None:
    (message,) = messages_of(pdu_of(octets, data_coding=data_coding))
    assert (message.text, message.charset, message.flags) == (text, charset, flags)
    assert message.lossy is False


def test_data_coding_0_is_latin_1_where_the_bind_says_so() -> None:
    found = smpp_callback.callback_from_pdu(pdu_of(b"caf\xe9"), alphabet="latin1")
    assert isinstance(found, MoCallback)
    assert found.charset == "ISO-8859-1"


def test_the_message_of_gsm_7_has_octets_that_its_charset_reads() -> None:
    (message,) = messages_of(pdu_of(b"caf\x05"))
    assert message.octets.decode(message.charset) == message.text


@given(st.text("ab€[]{}é", min_size=1, max_size=60), st.data())
def test_gsm_7_is_read_after_its_parts_are_joined_wherever_they_were_cut(
    text: str, data: st.DataObject
) -> None:
    """The cut may lie between an escape and its character."""
    octets = septets_from_text(text)
    assert octets is not None
    at = data.draw(st.integers(0, len(octets)))
    (message,) = messages_of(
        *(pdu_of(piece, tlvs=sar(7, 2, n)) for n, piece in ((2, octets[at:]), (1, octets[:at])))
    )
    assert (message.text, message.lossy) == (text, False)


@pytest.mark.parametrize(
    ("udh", "expected"),
    [
        pytest.param("050003380502", (8, 56, 5, 2), id="smpp-022"),
        pytest.param("06080400030201", (16, 3, 2, 1), id="16-bit"),
        pytest.param("0b0504158200000003380502", (8, 56, 5, 2), id="ports-before-it"),
        pytest.param("0b0003380502050415820000", (8, 56, 5, 2), id="ports-after-it"),
    ],
)
def test_a_header_in_the_message_says_where_the_part_belongs(
    udh: str, expected: tuple[int, int, int, int]
) -> None:
    part = part_of(pdu_of(bytes.fromhex(udh) + b"text", esm_class=UDHI))
    assert (part.reference_bits, part.reference, part.parts_total, part.part_number) == expected
    assert (part.octets, part.udh.hex(), part.flags) == (b"text", udh, [])


def test_without_the_indicator_nothing_is_a_header() -> None:
    part = part_of(pdu_of(bytes.fromhex("050003380502") + b"text"))
    assert part.octets.endswith(b"text")
    assert len(part.octets) == 10
    assert part.udh == b""


@pytest.mark.parametrize(
    ("fields", "octets"),
    [
        pytest.param({"text": b"\xfftext", "esm_class": UDHI}, b"\xfftext", id="header-too-long"),
        pytest.param(
            {"text": bytes.fromhex("0500004f0201") + b"t", "esm_class": UDHI}, b"t", id="udh-035"
        ),
        pytest.param({"tlvs": sar(7, 2, 3)}, b"hello", id="sar-number-above-total"),
        pytest.param({"tlvs": sar(7, 0, 0)}, b"hello", id="sar-total-0"),
        pytest.param({"tlvs": sar(7, 2, 1)[:2]}, b"hello", id="sar-not-whole"),
        pytest.param({"tlvs": (Tlv(0x020C, b"x" * 300),)}, b"hello", id="sar-too-long"),
        pytest.param(
            {"tlvs": (Tlv(0x020C, b"\7"), Tlv(0x020E, b"\0\2"), Tlv(0x020F, b"\1"))},
            b"hello",
            id="sar-of-other-lengths-that-add-up",
        ),
    ],
)
def test_what_does_not_add_up_is_a_message_of_its_own_and_flagged(
    fields: dict[str, Any], octets: bytes
) -> None:
    part = part_of(pdu_of(**fields))
    assert (part.reference_bits, part.octets, part.flags) == (0, octets, [Flag.MALFORMED_UDH])


def test_sar_parameters_are_a_16_bit_reference_beside_what_the_header_holds() -> None:
    ports = bytes.fromhex("06050415820000")
    part = part_of(pdu_of(ports + b"text", esm_class=UDHI, tlvs=sar(0x1234, 3, 2)))
    assert (part.reference_bits, part.reference, part.parts_total, part.part_number) == (
        16,
        0x1234,
        3,
        2,
    )
    assert part.udh.hex() == "0c" + "050415820000" + "080412340302"
    assert part.octets == b"text"


def test_a_header_that_holds_a_reference_counts_before_sar_parameters() -> None:
    udh = bytes.fromhex("050003380502")
    part = part_of(pdu_of(udh + b"text", esm_class=UDHI, tlvs=sar(7, 3, 1)))
    assert (part.reference_bits, part.reference) == (8, 56)


@pytest.mark.parametrize("name", ["mpart-007", "mpart-010"])
def test_golden_parts_with_sar_parameters(name: str) -> None:
    row = row_of("multipart_reassembly", name)
    pdus = [
        pdu_of(
            arrival["text"].encode(),
            data_coding=1,
            tlvs=sar(
                arrival["tlv"]["sar_msg_ref_num"],
                arrival["tlv"]["sar_total_segments"],
                arrival["tlv"]["sar_segment_seqnum"],
            ),
        )
        for arrival in row["input"]["arrivals"]
    ]
    assert [message.text for message in messages_of(*pdus)] == row["expected"]["messages"]


def test_golden_message_payload() -> None:
    """mpart-004."""
    row = row_of("multipart_reassembly", "mpart-004")
    (arrival,) = row["input"]["arrivals"]
    payload = bytes.fromhex(arrival["message_payload_hex"])
    (message,) = messages_of(pdu_of(b"", tlvs=(Tlv(MESSAGE_PAYLOAD, payload),)))
    assert [message.text] == row["expected"]["messages"]


def test_a_header_in_message_payload_is_read_as_well() -> None:
    payload = bytes.fromhex("050003380502") + b"text"
    part = part_of(pdu_of(b"", esm_class=UDHI, tlvs=(Tlv(MESSAGE_PAYLOAD, payload),)))
    assert (part.reference, part.octets) == (56, b"text")


@pytest.mark.parametrize("name", ["smpp-001", "smpp-004", "smpp-007", "smpp-013"])
def test_golden_delivery_receipt_is_no_message(name: str) -> None:
    pdu = bytes.fromhex(row_of("smpp_pdu", name)["input"]["pdu_hex"])
    assert smpp_callback.callback_from_pdu(pdu, alphabet="gsm7") is None


@pytest.mark.parametrize(
    ("esm_class", "is_receipt"),
    [(0x00, False), (0x40, False), (0x04, True), (0x44, True), (0x20, True), (0x08, False)],
)
def test_esm_class_tells_a_receipt_from_a_message(esm_class: int, is_receipt: bool) -> None:
    deliver = DeliverSm(source="1", destination="2", esm_class=esm_class)
    assert smpp_callback.is_receipt(deliver) is is_receipt


@pytest.mark.parametrize(
    "pdu",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(pdu_of()[:-1], id="cut"),
        pytest.param(smpp_pdu.render(Pdu(Command.DELIVER_SM, 0, 1, b"\0")), id="no-fields"),
        pytest.param(pdu_of(source=""), id="no-source"),
        pytest.param(pdu_of(destination=" "), id="blank-destination"),
        pytest.param(pdu_of(b"", rest=b"\x04\x24\x00\x09cut"), id="payload-cut-off"),
        pytest.param(data_sm_of()[:4] + b"\0\0\1\3" + data_sm_of()[8:12], id="data_sm-cut"),
        pytest.param(smpp_pdu.render(Pdu(Command.DATA_SM, 0, 1, b"\0")), id="data_sm-no-fields"),
    ],
)
def test_what_is_no_message_is_refused(pdu: bytes) -> None:
    assert isinstance(smpp_callback.callback_from_pdu(pdu, alphabet="gsm7"), Rejected)


def test_what_follows_the_last_whole_parameter_does_not_cost_the_text() -> None:
    (message,) = messages_of(pdu_of(b"hello", rest=b"\x14\x00\x00\x09cut"))
    assert message.text == "hello"


def test_a_data_sm_is_the_message_that_a_deliver_sm_would_be() -> None:
    """SMPP 3.4 4.7: its text is in message_payload; sar_* and a header as in deliver_sm."""
    udh = bytes.fromhex("050003380502")
    for fields in ({"text": udh + b"text", "esm_class": UDHI}, {"tlvs": sar(7, 2, 1)}):
        data, deliver = part_of(data_sm_of(**fields)), part_of(pdu_of(**fields))
        assert (data.octets, data.udh, data.reference, data.charset) == (
            deliver.octets,
            deliver.udh,
            deliver.reference,
            deliver.charset,
        )
        assert data.reference_bits


def test_a_receipt_by_data_sm_is_no_message() -> None:
    pdu = data_sm_of(b"", esm_class=0x04, tlvs=(Tlv(0x0427, b"\2"),))
    assert smpp_callback.callback_from_pdu(pdu, alphabet="gsm7") is None


def test_another_pdu_holds_no_callback() -> None:
    pdu = smpp_pdu.render(Pdu(Command.ENQUIRE_LINK_RESP, 0, 1))
    assert smpp_callback.callback_from_pdu(pdu, alphabet="gsm7") is None


@given(st.binary(max_size=80))
def test_no_octets_raise(body: bytes) -> None:
    for command in smpp_pdu.DELIVERIES:
        pdu = smpp_pdu.render(Pdu(command, 0, 1, body))
        smpp_callback.callback_from_pdu(pdu, alphabet="gsm7")


def header(content: bytes) -> bytes:
    """A user data header: its length, and so many octets."""
    return bytes([len(content)]) + content


addresses = st.text("0123456789", min_size=1, max_size=20)
given_callbacks = st.builds(
    MoCallback,
    handset=addresses,
    number=addresses,
    charset=st.sampled_from(["ISO-8859-1", "UTF-16BE", "8-BIT"]),
    udh=st.just("") | st.binary(max_size=130).map(lambda content: header(content).hex()),
    octets=st.binary(min_size=1, max_size=300),
)


@given(given_callbacks)
def test_what_is_rendered_is_read_back(given_callback: MoCallback) -> None:
    deliver = smpp_callback.deliver_from_callback(given_callback)
    assert deliver is not None
    read = smpp_deliver.parse(smpp_deliver.render(deliver))
    assert read is not None
    assert smpp_callback.callback_from_deliver(read, alphabet="gsm7") == given_callback


def test_a_charset_without_a_data_coding_is_not_rendered() -> None:
    assert smpp_callback.deliver_from_callback(MoCallback(handset="1", number="2")) is None
