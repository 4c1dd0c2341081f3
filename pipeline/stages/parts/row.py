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


def encode_row(row: Assemblies) -> bytes:
    """The row as the table keeps it."""
    return _encode(row)


def decode_row(octets: bytes) -> Assemblies:
    """The row that `encode_row` wrote; raises `msgspec.DecodeError` for any other octets."""
    return _decoder.decode(octets)
