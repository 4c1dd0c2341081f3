"""Unpack packed septets (3GPP TS 23.038 6.1.2.1.1): seven bits per character, lowest bit first.

SMPP carries the default alphabet unpacked. Some gateways pass on the packed form of the air
interface.
"""

from __future__ import annotations


def septets_from_packed(octets: bytes, *, fill_bits: int = 0) -> bytes:
    """The septets, one per octet. `fill_bits` (0 to 6) lie between a header and the first septet.

    Seven bits left over at the end give one more septet: 0, which is `@`, or the carriage return
    that 6.1.2.3.1 fills with.
    """
    septets = bytearray()
    held, width = 0, -fill_bits
    for octet in octets:  # few bits at a time: one number of them all would be slow to shift
        held |= octet << width if width >= 0 else octet >> -width
        width += 8
        while width >= 7:
            septets.append(held & 0x7F)
            held >>= 7
            width -= 7
    return bytes(septets)
