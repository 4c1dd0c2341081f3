"""Optional parameters of SMPP 3.4: tag, length, value (3.2.4.1). Unknown ones are kept (3.3)."""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

# SMPP 3.4 5.3.2
RECEIPTED_MESSAGE_ID: Final = 0x001E
SAR_MSG_REF_NUM: Final = 0x020C
SAR_TOTAL_SEGMENTS: Final = 0x020E
SAR_SEGMENT_SEQNUM: Final = 0x020F
NETWORK_ERROR_CODE: Final = 0x0423
MESSAGE_PAYLOAD: Final = 0x0424
MESSAGE_STATE: Final = 0x0427
_HEAD: Final = Struct(">HH")


class Tlv(msgspec.Struct, frozen=True):
    """One optional parameter."""

    tag: int
    value: bytes


def render(tlvs: Iterable[Tlv]) -> bytes:
    """The octets on the wire."""
    return b"".join(_HEAD.pack(tlv.tag, len(tlv.value)) + tlv.value for tlv in tlvs)


def parse(octets: bytes) -> tuple[tuple[Tlv, ...], bytes]:
    """The parameters in their order, and the rest of the octets from the first incomplete one."""
    found: list[Tlv] = []
    at = 0
    while at + _HEAD.size <= len(octets):
        tag, length = _HEAD.unpack_from(octets, at)
        start = at + _HEAD.size
        if start + length > len(octets):
            break
        found.append(Tlv(tag, octets[start : start + length]))
        at = start + length
    return tuple(found), octets[at:]


def value_of(tlvs: Iterable[Tlv], tag: int) -> bytes | None:
    """The value of the first parameter with this tag."""
    return next((tlv.value for tlv in tlvs if tlv.tag == tag), None)
