"""MurmurHash2 as in Kafka's clients: it decides the partition of a key.

aiokafka has it too. This one is compiled, because a worker hashes the key of every MT request
(3 % of its time).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_extensions import i64


def murmur2(octets: bytes) -> int:
    """The unsigned 32-bit hash of `octets`."""
    size: i64 = len(octets)
    value: i64 = 0x9747B28C ^ size
    at: i64 = 0
    while at + 4 <= size:
        word: i64 = octets[at] | octets[at + 1] << 8 | octets[at + 2] << 16 | octets[at + 3] << 24
        word = word * 0x5BD1E995 & 0xFFFFFFFF
        word = (word ^ word >> 24) * 0x5BD1E995 & 0xFFFFFFFF
        value = value * 0x5BD1E995 & 0xFFFFFFFF ^ word
        at += 4
    if at < size:
        shift: i64 = 0
        while at < size:
            value ^= octets[at] << shift
            shift += 8
            at += 1
        value = value * 0x5BD1E995 & 0xFFFFFFFF
    value = (value ^ value >> 13) * 0x5BD1E995 & 0xFFFFFFFF
    return value ^ value >> 15
