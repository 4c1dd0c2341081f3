"""The national language tables that a user data header names (3GPP TS 23.038 6.2.1.2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence  # noqa: TC003 - the compiled tuple reads its annotations
from functools import lru_cache
from typing import Final, NamedTuple

from pipeline.sms.gsm7.default import BASIC, EXTENSION
from pipeline.sms.gsm7.locking import LOCKING
from pipeline.sms.gsm7.single import SINGLE_SHIFT

_IE_SINGLE_SHIFT: Final = 0x24  # 3GPP TS 23.040 9.2.3.24.15
_IE_LOCKING_SHIFT: Final = 0x25  # 3GPP TS 23.040 9.2.3.24.16


class Tables(NamedTuple):
    """The tables to read septets by.

    `unknown` is true when the header names a table that Annex A does not have.
    """

    locking: Sequence[str]
    single: Mapping[int, str]
    unknown: bool


DEFAULT: Final = Tables(BASIC, EXTENSION, unknown=False)


def tables_from_udh(udh: bytes) -> Tables:
    """The tables for the text after the header `udh`, which includes its length octet.

    Of two elements of one kind the last counts. A reserved identifier (0, 14 and more, Spanish
    locking) gives the default table, as 6.2.1.2.4 asks of a receiver that does not know a table.
    The result then is marked `unknown`.
    """
    if _IE_SINGLE_SHIFT not in udh and _IE_LOCKING_SHIFT not in udh:
        return DEFAULT
    return _tables(udh)


@lru_cache(maxsize=64)
def _tables(udh: bytes) -> Tables:
    locking, single, unknown = DEFAULT
    at, end = 1, len(udh)
    while at + 1 < end:
        element, value = udh[at], udh[at + 2 : at + 2 + udh[at + 1]]
        at += 2 + udh[at + 1]
        identifier = value[0] if len(value) == 1 else 0
        if element == _IE_LOCKING_SHIFT:
            unknown = unknown or identifier not in LOCKING
            locking = LOCKING.get(identifier, BASIC)
        elif element == _IE_SINGLE_SHIFT:
            unknown = unknown or identifier not in SINGLE_SHIFT
            single = SINGLE_SHIFT.get(identifier, EXTENSION)
    return Tables(locking, single, unknown)
