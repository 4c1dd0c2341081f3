"""Drops a deliver_sm that is sent again because our answer may not have reached the gateway.

The row of a key holds the messages of that key whose answers may not have reached the gateway
(`deploy/decisions/0061`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from pipeline.records import Answered, MoPart, MoRaw

#: The time that the gateway's retries of a callback last (G8.3.1: 2 to 128 minutes, 254 in all).
SENT_AGAIN_WITHIN: Final = timedelta(minutes=254)


#: The most messages of one key. A repeat of a message that was dropped counts as new.
MOST_UNANSWERED: Final = 256


class Unanswered(msgspec.Struct, frozen=True, array_like=True):
    """An accepted message, with the bind and the time of its last arrival."""

    bind: str
    delivery: int
    received_at: datetime


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Unanswered]).decode


def accept_delivery(row: bytes | None, part: MoPart, raw: MoRaw) -> tuple[bytes, MoPart | None]:
    """The new row of the key, and the part with its final id, or None if it was sent again.

    An equal PDU by the same bind is another message. A gateway repeats a PDU on the same bind only
    after an answer that asks for that, and after such an answer the receiver renames the bind.
    """
    earliest = raw.received_at - SENT_AGAIN_WITHIN
    held = [unit for unit in _decode(row) if unit.received_at >= earliest] if row else []
    del held[: 1 - MOST_UNANSWERED]
    unit = Unanswered(raw.bind, raw.delivery, raw.received_at)
    again = next((other for other in held if other.bind != raw.bind), None)
    if again is not None:
        held.remove(again)
        return _encode([*held, unit]), None
    identity = _encode((part.part_id, raw.bind, raw.delivery))
    part_id = blake2b(identity, digest_size=16).hexdigest()
    return _encode([*held, unit]), msgspec.structs.replace(part, part_id=part_id)


def without_answered(row: bytes, answered: Answered) -> bytes | None:
    """The row without the message whose answer has arrived; None if the row is empty then."""
    left = [
        unit
        for unit in _decode(row)
        if (unit.bind, unit.delivery) != (answered.bind, answered.delivery)
    ]
    return _encode(left) if left else None
