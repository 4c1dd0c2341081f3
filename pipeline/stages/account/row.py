"""The rows of the agent `accounts`: how an account stands, what waits, and what was charged lately.

What waits is a queue of numbered rows: `head` is the number of the next one to take, `tail` that of
the next one to come.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec

_PLACE_OCTETS: Final = 8
#: How long what was charged is known: the worker corrects an MT for seven days (`SENT_KEPT`).
BOOKED_KEPT: Final = timedelta(days=10)


class AccountState(msgspec.Struct, frozen=True, array_like=True):
    """How an account stands. Amounts are in units of 1/3,000,000 credit."""

    balance: int = 0
    sequence: int = 0  # of the last entry
    head: int = 0
    tail: int = 0
    waiting_units: int = 0
    is_armed: bool = True  # a notice is given at the next crossing


class WaitingCharge(msgspec.Struct, frozen=True, array_like=True):
    """A charge that is not covered yet: its message waits in the partition `home`."""

    charge_id: str
    units: int
    number: str
    parts: int
    home: int
    at: datetime


class Booked(msgspec.Struct, frozen=True, array_like=True):
    """What was charged, by its id. The same charge again changes nothing."""

    account: str
    kind: str
    units: int


class TakenCredit(msgspec.Struct, frozen=True, array_like=True):
    """A credit that was taken, by its id."""

    account: str
    kind: str
    units: int


_ENCODER: Final = msgspec.msgpack.Encoder()
_STATE: Final = msgspec.msgpack.Decoder(AccountState)
_WAITING: Final = msgspec.msgpack.Decoder(WaitingCharge)
_BOOKED: Final = msgspec.msgpack.Decoder(Booked)
_CREDIT: Final = msgspec.msgpack.Decoder(TakenCredit)


def encode_row(row: AccountState | WaitingCharge | Booked | TakenCredit) -> bytes:
    """The row as it is stored."""
    return _ENCODER.encode(row)


def decode_state(octets: bytes | None) -> AccountState:
    """How an account stands; of one without a row, that of an account nothing has happened to."""
    return AccountState() if octets is None else _STATE.decode(octets)


def decode_waiting(octets: bytes) -> WaitingCharge:
    """A charge that waits; raises `msgspec.DecodeError`."""
    return _WAITING.decode(octets)


def decode_booked(octets: bytes) -> Booked:
    """What was charged; raises `msgspec.DecodeError`."""
    return _BOOKED.decode(octets)


def decode_credit(octets: bytes) -> TakenCredit:
    """A credit that was taken; raises `msgspec.DecodeError`."""
    return _CREDIT.decode(octets)


def waiting_key(account: str, place: int) -> bytes:
    """The key of a charge that waits in an account's queue."""
    return account.encode() + b"\0" + place.to_bytes(_PLACE_OCTETS, "big")
