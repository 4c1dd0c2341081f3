"""submit_sm (SMPP 3.4 4.4.1) for each part of a command, and the id in its answer (4.4.2).

A part begins with a user data header. message_payload is not used: the gateway ignores parameters
that its document does not name, and would send a message without its text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pipeline.sms.cutting import cut
from pipeline.sms.gsm7.default import septets_from_text
from pipeline.sms.segmentation import GSM7, UCS2
from pipeline.wire.clickatell.message import NotSendable
from pipeline.wire.smpp.callback import UDHI
from pipeline.wire.smpp.deliver import DeliverSm

if TYPE_CHECKING:
    from pipeline.records import MtCommand

RECEIPT_WANTED: Final = 1  # registered_delivery: whether it was delivered or failed (5.2.17)
DEFAULT_ALPHABET: Final = 0
DATA_CODING_UCS2: Final = 8
LONGEST_SOURCE: Final = 20  # characters (5.2.8)
LONGEST_ID: Final = 64  # characters (5.2.23)
_UNKNOWN, _INTERNATIONAL, _NETWORK_SPECIFIC, _ALPHANUMERIC = 0, 1, 3, 5  # type of number (5.2.5)
_E_164: Final = 1  # numbering plan (5.2.6)
_LONGEST_SHORT_CODE: Final = 6  # digits
_DIGITS: Final = re.compile("[0-9]{1,20}")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_PRINTABLE: Final = re.compile(r"[\x21-\x7E]+")


def submits_from_command(
    command: MtCommand, *, alphabet: str, max_parts: int
) -> tuple[DeliverSm, ...]:
    """The submit_sm of each part, in order; raises `NotSendable`.

    `alphabet` is what data_coding 0 means: gsm7 or latin1. The two bodies are the same, so a
    `DeliverSm` holds a submit_sm's fields.
    """
    if not _DIGITS.fullmatch(command.handset):
        raise NotSendable("not-digits: the handset is no number, or more than one")
    source = command.sender_id
    if len(source) > LONGEST_SOURCE or not source.isascii() or not (source + "x").isprintable():
        raise NotSendable("sender-id: SMPP takes 20 printable ASCII characters")
    if _SURROGATE.search(command.text):
        raise NotSendable("not-unicode: the text holds half of a surrogate pair")
    coding, texts = _coded(command.text, alphabet)
    if len(texts) > max_parts:
        raise NotSendable(f"too-many-parts: {len(texts)} of {max_parts} allowed")
    reference = int(command.command_id[-2:], 16)
    ton, npi = _kind_of(source)
    return tuple(
        DeliverSm(
            source_ton=ton,
            source_npi=npi,
            source=source,
            destination_ton=_INTERNATIONAL,
            destination_npi=_E_164,
            destination=command.handset,
            esm_class=UDHI if len(texts) > 1 else 0,
            registered_delivery=RECEIPT_WANTED,
            data_coding=coding,
            short_message=_header(reference, len(texts), number) + octets,
        )
        for number, octets in enumerate(texts, 1)
    )


def message_id_from_answer(body: bytes) -> str:
    """The id from the gateway; empty if the answer has none that is valid."""
    text = body.partition(b"\0")[0].decode("latin-1")
    return text if len(text) <= LONGEST_ID and _PRINTABLE.fullmatch(text) else ""


def _coded(text: str, alphabet: str) -> tuple[int, list[bytes]]:
    """data_coding, and the octets of each part.

    In latin1 a text goes unchanged if the handset's alphabet has its characters too: the gateway
    packs it in septets, and the septets fill the part.
    """
    if septets_from_text(text) is not None:
        texts = cut(text, GSM7)
        if alphabet == "gsm7":
            return DEFAULT_ALPHABET, [septets_from_text(each) or b"" for each in texts]
        if all(ord(character) <= 0xFF for character in text):
            return DEFAULT_ALPHABET, [each.encode("latin-1") for each in texts]
    return DATA_CODING_UCS2, [each.encode("utf-16-be") for each in cut(text, UCS2)]


def _header(reference: int, total: int, number: int) -> bytes:
    """3GPP TS 23.040 9.2.3.24.1: element 0 of 3 octets, of a header of 5."""
    return bytes((5, 0, 3, reference, total, number)) if total > 1 else b""


def _kind_of(source: str) -> tuple[int, int]:
    """Type of number and numbering plan of a sender ID (5.2.5, 5.2.6)."""
    if not source:
        return _UNKNOWN, 0
    if not source.isdigit():
        return _ALPHANUMERIC, 0
    return (
        (_NETWORK_SPECIFIC, 0) if len(source) <= _LONGEST_SHORT_CODE else (_INTERNATIONAL, _E_164)
    )
