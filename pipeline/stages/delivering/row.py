"""The rows of deliveries and of reply paths.

A line is a queue of numbered rows: `head` is the number of the next one to take, `tail` that of the
next one to come.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

_SEPARATOR: Final = b"\0"
_PLACE_OCTETS: Final = 8
#: The two lines of a path: first tries, and retries that fell due.
FIRST: Final = "f"
AGAIN: Final = "a"


class Line(msgspec.Struct, frozen=True, array_like=True):
    """How far a line has come."""

    head: int = 0
    tail: int = 0


class PathState(msgspec.Struct, frozen=True, array_like=True):
    """How a reply path stands in one partition.

    `failures` are in a row. `probe_at` is set while the circuit is open; `paused_until` while the
    application asks to be left alone.
    """

    first: Line = Line()
    again: Line = Line()
    first_under_way: int = 0
    again_under_way: int = 0
    failures: int = 0
    probe_at: datetime | None = None
    paused_until: datetime | None = None


class Delivery(msgspec.Struct, frozen=True, array_like=True):
    """What is handed on by one path. `octets` is the record, as on its topic.

    Every first try has a place, so that one that goes back to its line goes to where it was.
    `attempt` counts the attempts that were ordered. `line` and `place` say where it waits; the
    `line` of one that is under way is the one it came from. `since` is when its record was written.
    """

    delivery_id: str
    path: str
    kind: str
    subject_id: str
    handset: str
    number: str
    topic: str
    offset: int
    octets: bytes
    since: datetime
    attempt: int = 0
    is_under_way: bool = False
    line: str = ""
    place: int = 0
    is_in_order: bool = False


def encode_path(state: PathState) -> bytes:
    """A path's row."""
    return msgspec.msgpack.encode(state)


def decode_path(octets: bytes | None) -> PathState:
    """A path's state; of one without a row, that of a path that nothing has happened to."""
    return PathState() if octets is None else msgspec.msgpack.decode(octets, type=PathState)


def encode_delivery(delivery: Delivery) -> bytes:
    """A delivery's row."""
    return msgspec.msgpack.encode(delivery)


def decode_delivery(octets: bytes) -> Delivery:
    """A delivery's row."""
    return msgspec.msgpack.decode(octets, type=Delivery)


def encode_line(line: Line) -> bytes:
    """The row of a line that is not a path's."""
    return msgspec.msgpack.encode(line)


def decode_line(octets: bytes) -> Line:
    """The row of a line that is not a path's."""
    return msgspec.msgpack.decode(octets, type=Line)


def handset_begins(handset: str) -> bytes:
    """How the keys of a handset's rows begin."""
    return handset.encode() + _SEPARATOR


def key_of_delivery(handset: str, path: str, delivery_id: str) -> bytes:
    """The key of a delivery's row."""
    return handset_begins(handset) + path.encode() + _SEPARATOR + delivery_id.encode()


def place_key(path: str, line: str, place: int) -> bytes:
    """The key of a place in a path's line."""
    name = path.encode() + _SEPARATOR + line.encode()
    return name + place.to_bytes(_PLACE_OCTETS, "big")


def behind_key(handset: str, path: str) -> bytes:
    """The key of the line of a handset's deliveries by a path that keeps them in order."""
    return handset_begins(handset) + path.encode()


def behind_place_key(handset: str, path: str, place: int) -> bytes:
    """The key of a place in such a line."""
    return behind_key(handset, path) + _SEPARATOR + place.to_bytes(_PLACE_OCTETS, "big")
