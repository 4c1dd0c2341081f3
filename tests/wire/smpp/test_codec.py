"""SMPP PDUs: read as two other libraries read them, at every cut, and for any octets."""

from __future__ import annotations

from typing import Any

import pytest
import smpp34
import smpplib.command
import smpplib.pdu
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.smpp import bind as smpp_bind
from pipeline.wire.smpp import data as smpp_data
from pipeline.wire.smpp import deliver as smpp_deliver
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp import tlv as smpp_tlv
from pipeline.wire.smpp.bind import Bind
from pipeline.wire.smpp.deliver import DeliverSm
from pipeline.wire.smpp.pdu import Command, Framer, Pdu
from pipeline.wire.smpp.tlv import Tlv
from tests.support.golden_rows import golden_rows

ROWS = [param for param in golden_rows("smpp_pdu") if "pdu_hex" in param.values[0]["input"]]
FIELDS = {
    "service_type": "service_type",
    "src_ton": "source_ton",
    "src_npi": "source_npi",
    "src": "source",
    "dst_ton": "destination_ton",
    "dst_npi": "destination_npi",
    "dst": "destination",
    "esm_class": "esm_class",
    "protocol_id": "protocol_id",
    "priority": "priority",
    "registered_delivery": "registered_delivery",
    "data_coding": "data_coding",
}

octet = st.integers(0, 255)
words = st.text(st.characters(min_codepoint=1, max_codepoint=127), max_size=20)
tlvs = st.lists(st.builds(Tlv, st.integers(0, 0xFFFF), st.binary(max_size=40)), max_size=4)
delivers = st.builds(
    DeliverSm,
    service_type=words,
    source_ton=octet,
    source_npi=octet,
    source=words,
    destination_ton=octet,
    destination_npi=octet,
    destination=words,
    esm_class=octet,
    protocol_id=octet,
    priority=octet,
    registered_delivery=octet,
    replace_if_present=octet,
    data_coding=octet,
    sm_default_msg_id=octet,
    short_message=st.binary(max_size=255),
    tlvs=tlvs.map(tuple),
)
sequences = st.integers(1, smpp_pdu.LARGEST_SEQUENCE)
pdus = st.builds(
    Pdu, st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF), sequences, st.binary(max_size=60)
)


def octets_of(row: dict[str, Any]) -> bytes:
    return bytes.fromhex(row["input"]["pdu_hex"])


@pytest.mark.parametrize("row", ROWS)
def test_golden_pdu(row: dict[str, Any]) -> None:
    pdu = smpp_pdu.parse(octets_of(row))
    assert pdu is not None
    deliver = smpp_deliver.parse(pdu.body)
    assert deliver is not None
    given_fields = row["fields_by_our_decoder"]
    assert (pdu.command, pdu.status, pdu.sequence) == (
        int(given_fields["command_id"], 16),
        given_fields["command_status"],
        given_fields["sequence"],
    )
    for theirs, ours in FIELDS.items():
        assert getattr(deliver, ours) == given_fields[theirs], theirs
    assert deliver.short_message.hex() == given_fields["short_message_hex"]
    tags = {f"0x{tlv.tag:04x}": tlv.value.hex() for tlv in deliver.tlvs}
    assert tags == given_fields["tlvs"]
    assert deliver.rest == b""
    assert smpp_pdu.render(Pdu(pdu.command, 0, pdu.sequence, smpp_deliver.render(deliver))) == (
        octets_of(row)
    )


@pytest.mark.parametrize("row", [row for row in ROWS if row.values[0]["id"] != "smpp-010"])
def test_golden_pdu_is_read_as_smpp34_reads_it(row: dict[str, Any]) -> None:
    _as_smpp34_reads(octets_of(row))


def _as_smpp34_reads(octets: bytes) -> None:
    pdu = smpp_pdu.parse(octets)
    assert pdu is not None
    ours = smpp_deliver.parse(pdu.body)
    theirs = smpp34.decode(octets)
    assert isinstance(theirs, smpp34.DeliverSm)
    assert ours == DeliverSm(
        service_type=theirs.service_type,
        source_ton=theirs.source_addr_ton,
        source_npi=theirs.source_addr_npi,
        source=theirs.source_addr,
        destination_ton=theirs.dest_addr_ton,
        destination_npi=theirs.dest_addr_npi,
        destination=theirs.destination_addr,
        esm_class=theirs.esm_class,
        protocol_id=theirs.protocol_id,
        priority=theirs.priority_flag,
        schedule_delivery_time=theirs.schedule_delivery_time,
        validity_period=theirs.validity_period,
        registered_delivery=theirs.registered_delivery,
        replace_if_present=theirs.replace_if_present_flag,
        data_coding=theirs.data_coding,
        sm_default_msg_id=theirs.sm_default_msg_id,
        short_message=theirs.short_message,
        tlvs=tuple(Tlv(tlv.tag, tlv.value) for tlv in theirs.tlvs),
    )


@given(
    source=st.text("0123456789", min_size=1, max_size=20),
    destination=st.text("0123456789", min_size=1, max_size=20),
    short_message=st.binary(max_size=254),
    esm_class=octet,
    data_coding=octet,
    found=st.lists(
        st.builds(Tlv, st.integers(0x1400, 0x3FFF), st.binary(min_size=1, max_size=9)), max_size=3
    ),
    sequence=sequences,
)
def test_what_smpp34_renders_is_read_alike_and_rendered_alike(
    source: str,
    destination: str,
    short_message: bytes,
    esm_class: int,
    data_coding: int,
    found: list[Tlv],
    sequence: int,
) -> None:
    octets = smpp34.DeliverSm(
        source,
        destination,
        short_message,
        esm_class=esm_class,
        data_coding=data_coding,
        tlvs=[smpp34.Tlv(tlv.tag, tlv.value) for tlv in found],
        sequence_number=sequence,
    ).encode()
    _as_smpp34_reads(octets)
    pdu = smpp_pdu.parse(octets)
    assert pdu is not None
    deliver = smpp_deliver.parse(pdu.body)
    assert deliver is not None
    body = smpp_deliver.render(deliver)
    assert smpp_pdu.render(Pdu(Command.DELIVER_SM, 0, sequence, body)) == octets


def as_smpplib_reads(octets: bytes) -> Any:
    """A PDU as smpplib reads it: by the class of its command."""
    return smpplib.smpp.parse_pdu(octets, client=_Sequences(), allow_unknown_opt_params=True)


class _Sequences:
    """The part of a client that smpplib needs."""

    sequence = 1

    def next_sequence(self) -> int:
        return self.sequence


@pytest.mark.parametrize("row", [row for row in ROWS if row.values[0]["id"] == "smpp-016"])
def test_golden_pdu_is_read_as_smpplib_reads_it(row: dict[str, Any]) -> None:
    theirs = as_smpplib_reads(octets_of(row))
    pdu = smpp_pdu.parse(octets_of(row))
    assert pdu is not None
    ours = smpp_deliver.parse(pdu.body)
    assert ours is not None
    assert (theirs.sequence, theirs.source_addr, theirs.destination_addr) == (
        pdu.sequence,
        ours.source.encode(),
        ours.destination.encode(),
    )
    assert theirs.short_message == ours.short_message


@pytest.mark.parametrize("kind", ["bind_receiver", "bind_transceiver"])
def test_a_bind_is_rendered_as_smpplib_renders_it(kind: str) -> None:
    theirs = smpplib.smpp.make_pdu(
        kind,
        client=_Sequences(),
        system_id="two",
        password="way",  # noqa: S106 - a test's
        system_type="12345",
        interface_version=0x34,
        addr_ton=0,
        addr_npi=0,
        address_range="",
    ).generate()
    bind = Bind(system_id="two", password="way", system_type="12345")  # noqa: S106 - a test's
    ours = Pdu(Command[kind.upper()], 0, 1, smpp_bind.render(bind))
    assert smpp_pdu.render(ours) == theirs
    assert smpp_bind.parse(ours.body) == bind


@pytest.mark.parametrize(
    "name", ["enquire_link", "enquire_link_resp", "unbind", "unbind_resp", "generic_nack"]
)
def test_a_pdu_without_a_body_is_rendered_as_smpplib_renders_it(name: str) -> None:
    theirs = smpplib.smpp.make_pdu(name, client=_Sequences(), sequence=1).generate()
    assert smpp_pdu.render(Pdu(Command[name.upper()], 0, 1)) == theirs


def test_the_answer_to_a_deliver_sm_is_as_smpplib_renders_it() -> None:
    theirs = smpplib.smpp.make_pdu("deliver_sm_resp", client=_Sequences(), sequence=1).generate()
    request = Pdu(Command.DELIVER_SM, 0, 1)
    assert smpp_pdu.render(smpp_pdu.answer_to(request, body=b"\0")) == theirs


def test_a_data_sm_is_read_and_rendered_as_smpplib_renders_it() -> None:
    theirs = smpplib.smpp.make_pdu(
        "data_sm",
        client=_Sequences(),
        sequence=1,
        service_type="CMT",
        source_addr_ton=1,
        source_addr_npi=1,
        source_addr="27820000000",
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr="27999000000",
        esm_class=0x40,
        data_coding=8,
        sar_msg_ref_num=0x1234,
        message_payload=b"\0h\0i",
    ).generate()
    pdu = smpp_pdu.parse(theirs)
    assert pdu is not None
    assert pdu.command == Command.DATA_SM
    deliver = smpp_data.parse(pdu.body)
    assert deliver is not None
    assert (deliver.service_type, deliver.source, deliver.destination) == (
        "CMT",
        "27820000000",
        "27999000000",
    )
    assert (deliver.source_ton, deliver.source_npi, deliver.destination_ton) == (1, 1, 1)
    assert (deliver.esm_class, deliver.data_coding, deliver.rest) == (0x40, 8, b"")
    assert smpp_tlv.value_of(deliver.tlvs, smpp_tlv.MESSAGE_PAYLOAD) == b"\0h\0i"
    assert smpp_tlv.value_of(deliver.tlvs, smpp_tlv.SAR_MSG_REF_NUM) == b"\x12\x34"
    assert smpp_pdu.render(Pdu(Command.DATA_SM, 0, 1, smpp_data.render(deliver))) == theirs


@pytest.mark.parametrize(
    ("sequence", "following"),
    [(0, 1), (1, 2), (0x7FFFFFFE, 0x7FFFFFFF), (0x7FFFFFFF, 1)],
)
def test_sequence_numbers_begin_again_after_the_largest(sequence: int, following: int) -> None:
    """SMPP 3.4 3.2: 0x00000001 to 0x7FFFFFFF."""
    assert smpp_pdu.sequence_after(sequence) == following


@given(delivers)
def test_a_deliver_sm_comes_back_as_it_was(deliver: DeliverSm) -> None:
    assert smpp_deliver.parse(smpp_deliver.render(deliver)) == deliver


@given(st.binary(max_size=80))
def test_no_body_raises_and_what_is_read_is_rendered_again(body: bytes) -> None:
    deliver = smpp_deliver.parse(body)
    if deliver is not None:
        assert smpp_deliver.render(deliver) == body
    data = smpp_data.parse(body)
    if data is not None:
        assert smpp_data.render(data) == body
    bind = smpp_bind.parse(body)
    if bind is not None:
        assert body.startswith(smpp_bind.render(bind))
    found, rest = smpp_tlv.parse(body)
    assert smpp_tlv.render(found) + rest == body


@given(delivers, st.data())
def test_a_body_that_is_cut_short_is_none_or_keeps_its_mandatory_fields(
    deliver: DeliverSm, data: st.DataObject
) -> None:
    body = smpp_deliver.render(deliver)
    cut = smpp_deliver.parse(body[: data.draw(st.integers(0, len(body)))])
    assert cut is None or cut.short_message == deliver.short_message


@pytest.mark.parametrize("row", ROWS[:1])
def test_golden_no_pdu_before_its_last_octet(row: dict[str, Any]) -> None:
    """smpp-019."""
    octets = octets_of(row)
    for at in range(len(octets)):
        framer = Framer()
        assert framer.feed(octets[:at]) == []
        assert framer.feed(octets[at:]) == [octets]


@given(st.lists(pdus, max_size=4), st.data())
def test_a_stream_is_cut_into_its_pdus_wherever_it_was_cut_before(
    sent: list[Pdu], data: st.DataObject
) -> None:
    stream = b"".join(map(smpp_pdu.render, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    framer = Framer()
    pieces = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    found = [octets for piece in pieces for octets in framer.feed(piece)]
    assert [smpp_pdu.parse(octets) for octets in found] == sent
    assert framer.fault == ""


@pytest.mark.parametrize("length", [0, 15, 101, 0xFFFFFFFF])
def test_a_length_that_cannot_be_ends_the_stream_before_anything_is_kept(length: int) -> None:
    framer = Framer(longest=100)
    whole = smpp_pdu.render(Pdu(Command.ENQUIRE_LINK, 0, 7))
    assert framer.feed(whole + length.to_bytes(4, "big")) == [whole]
    assert str(length) in framer.fault
    assert framer.feed(whole) == []


@given(st.binary(max_size=200))
def test_no_stream_raises(octets: bytes) -> None:
    framer = Framer()
    for found in framer.feed(octets):
        assert smpp_pdu.parse(found) is not None


def test_a_pdu_with_another_length_than_it_says_is_none() -> None:
    octets = smpp_pdu.render(Pdu(Command.ENQUIRE_LINK, 0, 7))
    assert smpp_pdu.parse(octets + b"\0") is None
    assert smpp_pdu.parse(octets[:-1]) is None


@pytest.mark.parametrize(
    ("field", "text"), [("system_id", "x" * 16), ("password", "x" * 9), ("system_type", "é")]
)
def test_a_bind_that_cannot_be_sent_is_named_without_its_value(field: str, text: str) -> None:
    given_fields = {"system_id": "two", "password": "way", field: text}
    fault = smpp_bind.fault_of(Bind(**given_fields))
    assert field in fault
    assert text not in fault
    assert smpp_bind.fault_of(Bind(system_id="two", password="way")) == ""  # noqa: S106
