"""The submit_sm of a command, read by the codec of others and by our own reassembly."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
import smpp34
import smpplib.consts
from hypothesis import given
from hypothesis import strategies as st

from pipeline.wire.clickatell.message import NotSendable
from pipeline.wire.smpp import deliver as smpp_deliver
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp.pdu import Command, Pdu
from pipeline.wire.smpp.statuses import NAMES, TEMPORARY_STATUSES, code_of, name_of
from pipeline.wire.smpp.submit import message_id_from_answer, submits_from_command
from tests.sms.test_segmentation import SEPTETS
from tests.support.commands import command_of
from tests.wire.smpp.test_callback import messages_of
from tests.wire.smpp.test_codec import as_smpplib_reads

TEXTS = st.one_of(
    st.text(max_size=200), st.text(alphabet=st.sampled_from(sorted(SEPTETS)), max_size=450)
)


def submits_of(text: str, *, alphabet: str = "gsm7", max_parts: int = 99, **given: Any) -> Any:
    return submits_from_command(
        command_of(text=text, **given), alphabet=alphabet, max_parts=max_parts
    )


def test_a_single_message() -> None:
    """SMPP 3.4 4.4.1, field by field as smpplib reads it."""
    (submit,) = submits_of("Simple Message", sender_id="447700900999")
    octets = smpp_pdu.render(Pdu(Command.SUBMIT_SM, 0, 7, smpp_deliver.render(submit)))
    read = as_smpplib_reads(octets)
    assert (read.command, read.sequence) == ("submit_sm", 7)
    assert (read.source_addr_ton, read.source_addr_npi, read.source_addr) == (1, 1, b"447700900999")
    assert (read.dest_addr_ton, read.dest_addr_npi) == (1, 1)
    assert read.destination_addr == b"447700900123"
    assert (read.esm_class, read.registered_delivery, read.data_coding) == (0, 1, 0)
    assert read.short_message == b"Simple Message"


@pytest.mark.parametrize(
    ("text", "alphabet", "coding", "octets"),
    [
        ("@£$", "gsm7", 0, "000102"),
        ("[€]", "gsm7", 0, "1b3c1b651b3e"),
        ("Çà", "gsm7", 0, "097f"),
        ("@£$", "latin1", 0, "40a324"),
        ("Çà", "latin1", 0, "c7e0"),
        ("€", "latin1", 8, "20ac"),
        ("ΩΨΘ", "latin1", 8, "03a903a80398"),  # HTTP API 2.3.8, 5.2.16
        ("ΩΨΘ", "gsm7", 0, "151719"),
        ("ê", "gsm7", 8, "00ea"),
        ("ê", "latin1", 8, "00ea"),
        ("\U0001f600", "gsm7", 8, "d83dde00"),
    ],
)
def test_characters(text: str, alphabet: str, coding: int, octets: str) -> None:
    """3GPP TS 23.038 6.2.1, one septet an octet; ISO/IEC 8859-1; UTF-16BE."""
    (submit,) = submits_of(text, alphabet=alphabet)
    assert (submit.data_coding, submit.short_message.hex()) == (coding, octets)


def test_parts_have_a_header() -> None:
    first, second = submits_of("x" * 161, command_id="f" * 30 + "a7")
    assert first.short_message[:6].hex() == "050003a70201"
    assert second.short_message[:6].hex() == "050003a70202"
    assert (first.esm_class, second.esm_class) == (0x40, 0x40)
    assert (len(first.short_message), len(second.short_message)) == (159, 14)


@given(TEXTS, st.sampled_from(["gsm7", "latin1"]))
def test_a_handset_reads_the_text_again(text: str, alphabet: str) -> None:
    submits = submits_of(text, alphabet=alphabet)
    assert all(len(each.short_message) <= 160 for each in submits)
    assert not any(each.tlvs for each in submits)
    as_delivered = [
        smpp_pdu.render(
            Pdu(
                Command.DELIVER_SM,
                0,
                1,
                smpp_deliver.render(
                    msgspec.structs.replace(
                        each, source=each.destination, destination="447700900999"
                    )
                ),
            )
        )
        for each in submits
    ]
    if text:
        found = messages_of(*as_delivered, alphabet=alphabet)
        assert [message.text for message in found] == [text]


@pytest.mark.parametrize(
    ("source", "ton", "npi"),
    [("447700900999", 1, 1), ("12345", 3, 0), ("Company", 5, 0), ("", 0, 0)],
)
def test_a_sender_id_is_of_a_kind(source: str, ton: int, npi: int) -> None:
    (submit,) = submits_of("x", sender_id=source)
    assert (submit.source, submit.source_ton, submit.source_npi) == (source, ton, npi)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"handset": ""}, "not-digits"),
        ({"handset": "447700900123,447700900124"}, "not-digits"),
        ({"handset": "+447700900123"}, "not-digits"),
        ({"handset": "4" * 21}, "not-digits"),
        ({"handset": "٤٤٧"}, "not-digits"),
        ({"sender_id": "x" * 21}, "sender-id"),
        ({"sender_id": "Café"}, "sender-id"),
        ({"sender_id": "a\0b"}, "sender-id"),
        ({"text": "\ud800"}, "not-unicode"),
        ({"text": "x" * 460}, "too-many-parts"),
        ({"text": "ê" * 202}, "too-many-parts"),
    ],
)
def test_what_cannot_go(fields: dict[str, str], why: str) -> None:
    with pytest.raises(NotSendable, match=f"^{why}: "):
        submits_from_command(command_of(**fields), alphabet="gsm7", max_parts=3)


@pytest.mark.parametrize(
    ("body", "message_id"),
    [
        (b"6a3ed98a66444e8abac3acd9bba8656f\0", "6a3ed98a66444e8abac3acd9bba8656f"),
        (b"0000436949\0", "0000436949"),
        (b"abc", "abc"),
        (b"abc\0\x04\x23\x00\x00", "abc"),
        (b"\0", ""),
        (b"", ""),
        (b"a b\0", ""),
        (b"x" * 64 + b"\0", "x" * 64),
        (b"x" * 65 + b"\0", ""),
        (b"\xff\0", ""),
    ],
)
def test_the_message_id_is_kept_as_it_was_given(body: bytes, message_id: str) -> None:
    assert message_id_from_answer(body) == message_id


def test_names_of_statuses_are_those_of_smpplib_and_smpp34() -> None:
    """Two other tables of SMPP 3.4 5.1.3."""
    others = {
        value: f"ESME_{name.removeprefix('SMPP_ESME_')}"
        for name, value in vars(smpplib.consts).items()
        if name.startswith("SMPP_ESME_R")
    }
    assert {status: NAMES.get(status) for status in others} == others
    for name, status in vars(smpp34).items():
        if name.startswith("ESME_"):
            assert NAMES[status] == name


@pytest.mark.parametrize(
    ("status", "code", "name", "is_temporary"),
    [
        (0x58, "0x00000058", "ESME_RTHROTTLED", True),
        (0x14, "0x00000014", "ESME_RMSGQFUL", True),
        (0x08, "0x00000008", "ESME_RSYSERR", True),
        (0x0B, "0x0000000B", "ESME_RINVDSTADR", False),
        (0x45, "0x00000045", "ESME_RSUBMITFAIL", False),
        (0x0400, "0x00000400", "an error of the gateway's own", False),
        (0xDEAD, "0x0000DEAD", "a reserved error", False),
    ],
)
def test_statuses(status: int, code: str, name: str, is_temporary: bool) -> None:
    assert (code_of(status), name_of(status)) == (code, name)
    assert (status in TEMPORARY_STATUSES) is is_temporary
