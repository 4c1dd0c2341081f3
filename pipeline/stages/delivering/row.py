"""The rows of deliveries and of reply paths.

A line is a queue of numbered rows: `head` is the number of the next row to take, `tail` the number
of the next row to add.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

_SEPARATOR: Final = b"\0"
_PLACE_OCTETS: Final = 8
#: The two queues of a path: first tries, and retries that fell due.
FIRST: Final = "f"
AGAIN: Final = "a"


class Line(msgspec.Struct, frozen=True, array_like=True):
    """The first and the next number of a queue."""

    head: int = 0
    tail: int = 0


class PathState(msgspec.Struct, frozen=True, array_like=True):
    """The state of a reply path in one partition.

    `failures` counts failures in a row. `probe_at` is set while the circuit is open, `paused_until`
    while the application has asked for a pause.
    """

    first: Line = Line()
    again: Line = Line()
    first_under_way: int = 0
    again_under_way: int = 0
    failures: int = 0
    probe_at: datetime | None = None
    paused_until: datetime | None = None


class Delivery(msgspec.Struct, frozen=True, array_like=True):
    """A delivery: one record by one path. `octets` is the record, as on its topic.

    `line` and `place` are the queue and the place at which the delivery waits; while it is under
    way, `line` is the queue that it came from. A first try keeps its place, so that it can be put
    back there. `attempt` counts the attempts that were ordered. `since` is the time at which the
    record was written.
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
    """The row of a path."""
    return msgspec.msgpack.encode(state)


def decode_path(octets: bytes | None) -> PathState:
    """The state in a path's row; without a row the state of a new path."""
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
    """The prefix of the keys of a handset's rows."""
    return handset.encode() + _SEPARATOR


def key_of_delivery(handset: str, path: str, delivery_id: str) -> bytes:
    """The key of a delivery's row."""
    return handset_begins(handset) + path.encode() + _SEPARATOR + delivery_id.encode()


def place_key(path: str, line: str, place: int) -> bytes:
    """The key of a place in a queue of a path."""
    name = path.encode() + _SEPARATOR + line.encode()
    return name + place.to_bytes(_PLACE_OCTETS, "big")


def behind_key(handset: str, path: str) -> bytes:
    """The key of the queue of a handset's deliveries by an `ordered` path."""
    return handset_begins(handset) + path.encode()


def behind_place_key(handset: str, path: str, place: int) -> bytes:
    """The key of a place in the queue of a handset."""
    return behind_key(handset, path) + _SEPARATOR + place.to_bytes(_PLACE_OCTETS, "big")
