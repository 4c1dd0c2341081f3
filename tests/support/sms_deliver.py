"""SMS-DELIVER PDUs of captures (3GPP TS 23.040 9.2.2.1), read as far as their text."""

from typing import NamedTuple

from pipeline.sms.gsm7.default import text_from_septets

UDHI = 0x40


class Delivered(NamedTuple):
    """The content of a PDU."""

    handset: str
    udh: bytes
    text: str


def delivered_from_hex(pdu_hex: str) -> Delivered:
    """Read a PDU with its service centre address before it, in the default alphabet."""
    octets = bytes.fromhex(pdu_hex)
    rest = octets[1 + octets[0] :]
    first, digits = rest[0], rest[1]
    address = rest[3 : 3 + (digits + 1) // 2]
    handset = "".join(f"{octet & 15:x}{octet >> 4:x}" for octet in address)[:digits]
    body = rest[3 + len(address) + 2 + 7 :]  # protocol, coding, time stamp
    septets, user_data = body[0], body[1:]
    udh = user_data[: 1 + user_data[0]] if first & UDHI else b""
    skipped = -(-len(udh) * 8 // 7)  # the text starts at the next septet boundary
    bits = int.from_bytes(user_data, "little")
    unpacked = bytes(bits >> (7 * i) & 0x7F for i in range(skipped, septets))
    return Delivered(handset, udh, text_from_septets(unpacked)[0])
