"""Convert a deliver_sm to a callback and back. `deploy/decisions/0060` gives the reasons."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

from pipeline.records import Flag, Reason, Rejected
from pipeline.sms.charset import charset_from_name
from pipeline.sms.msisdn import address_from_text
from pipeline.wire.callback import MoCallback, callback_or_rejected
from pipeline.wire.smpp import data as smpp_data
from pipeline.wire.smpp import deliver as smpp_deliver
from pipeline.wire.smpp import pdu as smpp_pdu
from pipeline.wire.smpp import tlv as smpp_tlv
from pipeline.wire.smpp.coding import BY_SMPP, charset_from_data_coding
from pipeline.wire.smpp.deliver import DeliverSm
from pipeline.wire.smpp.pdu import DELIVERIES, Command

if TYPE_CHECKING:
    from pipeline.wire.smpp.pdu import Pdu

UDHI: Final = 0x40  # SMPP 3.4 5.2.12: the short message begins with a user data header
_MESSAGE_TYPE: Final = 0x3C
#: A delivery receipt and an intermediate notification. An acknowledgement by a handset (0x08, 0x10)
#: may carry words of its user, so it counts as a message.
_RECEIPTS: Final = frozenset({0x04, 0x20})
_IE_CONCATENATION_16: Final = 0x08  # 3GPP TS 23.040 9.2.3.24.8
_IES_CONCATENATION: Final = frozenset({0x00, _IE_CONCATENATION_16})
_SAR: Final = {  # and their lengths, in the order of the element
    smpp_tlv.SAR_MSG_REF_NUM: 2,
    smpp_tlv.SAR_TOTAL_SEGMENTS: 1,
    smpp_tlv.SAR_SEGMENT_SEQNUM: 1,
}
_INTERNATIONAL, _E_164 = 1, 1  # TON and NPI of a number with its country (5.2.5, 5.2.6)


def deliver_from_pdu(pdu: Pdu) -> DeliverSm | Rejected:
    """The fields of a deliver_sm or data_sm."""
    parse = smpp_data.parse if pdu.command == Command.DATA_SM else smpp_deliver.parse
    return parse(pdu.body) or Rejected(
        Reason.UNREADABLE_RECORD, "the PDU lacks fields that a delivery has"
    )


def is_receipt(deliver: DeliverSm) -> bool:
    """Whether it reports the outcome of an MT and is not a message."""
    return deliver.esm_class & _MESSAGE_TYPE in _RECEIPTS


def callback_from_deliver(deliver: DeliverSm, *, alphabet: str) -> MoCallback | Rejected:
    """The callback of a message; `alphabet` is what data_coding 0 means: gsm7 or latin1."""
    udh, octets = header_and_text(deliver)
    if deliver.rest and not octets:
        return Rejected(Reason.UNREADABLE_RECORD, "a parameter is cut off, and there is no text")
    charset, expected = charset_from_data_coding(deliver.data_coding, alphabet=alphabet)
    return callback_or_rejected(
        MoCallback(
            handset=deliver.source,
            number=deliver.destination,
            charset=charset,
            udh=_with_sar(udh, deliver).hex(),
            octets=octets,
            flag="" if expected else Flag.UNEXPECTED_DATA_CODING,
        )
    )


def deliver_from_callback(callback: MoCallback) -> DeliverSm | None:
    """The deliver_sm that the gateway would send. It has no message id, no api_id and no time.

    None for a charset that no data_coding names. The data_coding is never 0, because the meaning of
    0 depends on the bind.
    """
    charset = charset_from_name(callback.charset)
    coding = next((coding for coding, name in BY_SMPP.items() if name == charset), None)
    if coding is None:
        return None
    udh = bytes.fromhex(callback.udh)
    message = udh + callback.octets
    fits = len(message) <= smpp_deliver.LONGEST_SHORT_MESSAGE
    payload = () if fits else (smpp_tlv.Tlv(smpp_tlv.MESSAGE_PAYLOAD, message),)
    return DeliverSm(
        source_ton=_INTERNATIONAL,
        source_npi=_E_164,
        source=callback.handset,
        destination_ton=_INTERNATIONAL,
        destination_npi=_E_164,
        destination=callback.number,
        esm_class=UDHI if udh else 0,
        data_coding=coding,
        short_message=message if fits else b"",
        tlvs=payload,
    )


def callback_from_pdu(octets: bytes, *, alphabet: str) -> MoCallback | Rejected | None:
    """The callback of a whole PDU; None when the PDU is not a message."""
    deliver = deliver_from_octets(octets)
    if deliver is None or isinstance(deliver, Rejected):
        return deliver
    return None if is_receipt(deliver) else callback_from_deliver(deliver, alphabet=alphabet)


def deliver_from_octets(octets: bytes) -> DeliverSm | Rejected | None:
    """The deliver_sm or data_sm of a whole PDU; None when the PDU is another command."""
    pdu = smpp_pdu.parse(octets)
    if pdu is None:
        return Rejected(Reason.UNREADABLE_RECORD, "the octets are not one PDU")
    return deliver_from_pdu(pdu) if pdu.command in DELIVERIES else None


def delivery_key(callback: MoCallback) -> bytes:
    """A key of 16 octets, the same for equal deliver_sm: sender, receiver and text."""
    fields = (
        address_from_text(callback.handset),
        address_from_text(callback.number),
        callback.charset,
        callback.udh,
        callback.octets,
    )
    return blake2b(msgspec.msgpack.encode(fields), digest_size=16, person=b"deliver_sm").digest()


def header_and_text(deliver: DeliverSm) -> tuple[bytes, bytes]:
    """The header and the text's octets, of short_message or message_payload (5.3.2.32).

    The standard says that one of the two is empty. If neither is, the longer one is the message. If
    the header would be longer than the message, the result is its length octet, which is a
    malformed header, and all octets as the text.
    """
    payload = smpp_tlv.value_of(deliver.tlvs, smpp_tlv.MESSAGE_PAYLOAD) or b""
    octets = max(deliver.short_message, payload, key=len)
    if not deliver.esm_class & UDHI or not octets:
        return b"", octets
    end = 1 + octets[0]
    return (octets[:1], octets) if end > len(octets) else (octets[:end], octets[end:])


def _with_sar(udh: bytes, deliver: DeliverSm) -> bytes:
    """The header with the `sar_*` parameters added as an element with a 16-bit reference.

    A header that has a concatenation element stays unchanged. The three parameters give the four
    octets of the element (5.3.2.22 to 5.3.2.24). If a parameter is missing or has a wrong length,
    the element gets a wrong length too, so that the header is malformed.
    """
    values = {tag: smpp_tlv.value_of(deliver.tlvs, tag) for tag in _SAR}
    if all(value is None for value in values.values()) or _holds_concatenation(udh):
        return udh
    is_whole = all(len(value or b"") == _SAR[tag] for tag, value in values.items())
    joined = b"".join(value or b"" for value in values.values())[:0xFF]
    if not is_whole and len(joined) == sum(_SAR.values()):
        joined += b"\0"
    elements = udh[1:] + bytes((_IE_CONCATENATION_16, len(joined))) + joined
    return bytes((min(len(elements), 0xFF),)) + elements


def _holds_concatenation(udh: bytes) -> bool:
    at = 1
    while at + 1 < len(udh):
        if udh[at] in _IES_CONCATENATION:
            return True
        at += 2 + udh[at + 1]
    return False
