"""The row of an assembly key: parts that wait for others, and what remains of those let go."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from pipeline.records import MoPart


class HeldPart(MoPart, frozen=True, kw_only=True, array_like=True):
    """A part as a row keeps it: without the names of its fields."""


class Assembly(msgspec.Struct, frozen=True, array_like=True):
    """The parts of one message that is not complete, in the order they came."""

    parts: tuple[HeldPart, ...]


class Released(msgspec.Struct, frozen=True, array_like=True):
    """What remains of an assembly that went out incomplete, so that a late part is known as one."""

    slots: tuple[tuple[int, datetime], ...]
    released_at: datetime


class Assemblies(msgspec.Struct, frozen=True, array_like=True):
    """All there is under one assembly key. `account` is the number's when the last part came."""

    account: str
    open: tuple[Assembly, ...] = ()
    released: tuple[Released, ...] = ()


_encode: Final = msgspec.msgpack.Encoder().encode
_decoder: Final = msgspec.msgpack.Decoder(Assemblies)


def octets_from_assemblies(row: Assemblies) -> bytes:
    """The row as the table keeps it."""
    return _encode(row)


def assemblies_from_octets(octets: bytes) -> Assemblies:
    """The row of such octets; raises `msgspec.DecodeError` for any other."""
    return _decoder.decode(octets)
