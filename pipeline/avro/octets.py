"""Integers and times as octets ("Binary Encoding", Avro 1.12): zigzag, then groups of 7 bits.

The groups come lowest first; the high bit of an octet says that more follow. The tables hold what
two octets say, since the general loop costs a microsecond for a time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from struct import Struct
from typing import Final

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
PAIR: Final = 1 << 14
QUAD: Final = 1 << 28
LAST: Final = [bytes([n]) if n < 128 else bytes([n & 127 | 128, n >> 7]) for n in range(PAIR)]
MORE: Final = [bytes([n & 127 | 128, n >> 7 | 128]) for n in range(PAIR)]
FROM_PAIR: Final = [pair & 127 | pair >> 1 & 16256 for pair in range(1 << 16)]
TIME: Final = Struct("<4H")  # a zigzag of 50 to 56 bits takes 8 octets: the years 1978 to 3111


def octets_from_int(value: int) -> bytes:
    """A long; raises `OverflowError` beyond 64 bits."""
    if not -(1 << 63) <= value < 1 << 63:
        raise OverflowError(f"{value} is no 64-bit integer")
    rest = value << 1 ^ value >> 63
    if rest < QUAD:
        return MORE[rest & 16383] + LAST[rest >> 14] if rest >= PAIR else LAST[rest]
    groups = bytearray()
    while rest > 127:
        groups.append(rest & 127 | 128)
        rest >>= 7
    groups.append(rest)
    return bytes(groups)


def int_from_octets(octets: bytes, at: int) -> tuple[int, int]:
    """The long at `at` and where it ends.

    Raises `IndexError` where the octets end, `ValueError` beyond 64 bits.
    """
    rest = shift = 0
    while True:
        octet = octets[at]
        at += 1
        rest |= (octet & 127) << shift
        if octet < 128:
            break
        shift += 7
        if shift > 63:
            raise ValueError("an integer of more than ten octets")
    if rest >> 64:
        raise ValueError("an integer of more than 64 bits")
    return rest >> 1 ^ -(rest & 1), at


def length_from_octets(octets: bytes, at: int) -> tuple[int, int]:
    """The length at `at` and where it ends; raises `ValueError` for a negative one."""
    length, at = int_from_octets(octets, at)
    if length < 0:
        raise ValueError("a negative length")
    return length, at


def octets_from_time(time: datetime) -> bytes:
    """timestamp-micros: microseconds since 1970 as a long; a naive time raises `TypeError`."""
    # Equal times of another zone may be an hour apart, where summer time ends (`fold`).
    return _octets_from_utc(time) if time.tzinfo is UTC else _octets_from_any(time)


def _octets_from_any(time: datetime) -> bytes:
    micros = (time - EPOCH) // MICROSECOND
    rest = micros << 1
    if not 1 << 49 <= rest < 1 << 56:
        return octets_from_int(micros)
    low = MORE[rest & 16383] + MORE[rest >> 14 & 16383]
    return low + MORE[rest >> 28 & 16383] + LAST[rest >> 42]


# A time is written into some three records one after the other, and gateways tell whole seconds.
_octets_from_utc: Final = lru_cache(maxsize=1024)(_octets_from_any)


def time_from_octets(octets: bytes, at: int) -> tuple[datetime, int]:
    """The time at `at`, aware UTC, and where it ends.

    Raises `OverflowError` outside the years 1 to 9999.
    """
    if len(octets) - at >= TIME.size:
        a, b, c, d = TIME.unpack_from(octets, at)
        if a & b & c & 0x8080 == 0x8080 and d & 0x8080 == 0x0080 and not a & 1:
            rest = FROM_PAIR[a] | FROM_PAIR[b] << 14 | FROM_PAIR[c] << 28 | FROM_PAIR[d] << 42
            return EPOCH + MICROSECOND * (rest >> 1), at + TIME.size
    micros, at = int_from_octets(octets, at)
    return EPOCH + MICROSECOND * micros, at
