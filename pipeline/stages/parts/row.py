"""The row of an assembly key: parts that wait, and markers of messages that were released."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from pipeline.records import MoPart


class HeldPart(MoPart, frozen=True, kw_only=True, array_like=True):
    """A part in a row, stored without the names of its fields."""


class Assembly(msgspec.Struct, frozen=True, array_like=True):
    """The parts of one incomplete message, in order of arrival."""

    parts: tuple[HeldPart, ...]


class Released(msgspec.Struct, frozen=True, array_like=True):
    """A marker of an assembly that was released incomplete, to recognise its late parts."""

    slots: tuple[tuple[int, datetime], ...]
    released_at: datetime


class Assemblies(msgspec.Struct, frozen=True, array_like=True):
    """The row of one assembly key. `account` is the number's account when the last part came."""

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
