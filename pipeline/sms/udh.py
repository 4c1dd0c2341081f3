"""The user data header: its information elements, and what they say about concatenation."""

from __future__ import annotations

from typing import Final, NamedTuple


class Concatenation(NamedTuple):
    """The place of a part in its message. `bits` is 8 or 16: the size of the reference.

    An 8-bit reference and a 16-bit reference of the same value are different references. `bits` is
    0 for a whole message.
    """

    bits: int
    reference: int
    total: int
    number: int


WHOLE: Final = Concatenation(bits=0, reference=0, total=1, number=1)
"""A part that is a whole message."""

_IE_CONCATENATION_8: Final = 0x00  # 3GPP TS 23.040 9.2.3.24.1: reference, total, number
_IE_CONCATENATION_16: Final = 0x08  # 3GPP TS 23.040 9.2.3.24.8: reference (2 octets), total, number
_LENGTHS: Final = {_IE_CONCATENATION_8: 3, _IE_CONCATENATION_16: 4}


def udh_from_hex(text: str) -> bytes | None:
    """The octets of a header in hex, in upper or lower case, with or without blanks; else None."""
    try:
        return bytes.fromhex("".join(text.split()))
    except ValueError:
        return None


def concatenation_from_udh(udh: bytes) -> Concatenation | None:
    """The concatenation in a header that includes its length octet; None when it is malformed.

    An empty header gives `WHOLE`. A header is malformed when lengths do not add up, when the number
    or the total is 0, or when the number is above the total. Reference 0 is legal. Of two
    concatenation elements the last counts (3GPP TS 23.040 9.2.3.24).
    """
    if not udh:
        return WHOLE
    end = len(udh)
    if udh[0] != end - 1:  # UDHL counts the octets after it
        return None
    found = WHOLE
    at = 1
    while at < end:
        if at + 2 > end:
            return None
        element, length = udh[at], udh[at + 1]
        start = at + 2
        at = start + length
        if at > end or length != _LENGTHS.get(element, length):
            return None
        if element == _IE_CONCATENATION_8:
            found = Concatenation(8, udh[start], udh[start + 1], udh[start + 2])
        elif element == _IE_CONCATENATION_16:
            reference = udh[start] << 8 | udh[start + 1]
            found = Concatenation(16, reference, udh[start + 2], udh[start + 3])
    return found if 1 <= found.number <= found.total else None
