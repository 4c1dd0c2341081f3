"""A deliver_sm is a duplicate only of an equal one whose answer may not have reached the gateway.

The row of a key is the messages of that key whose answers may not have. `deploy/decisions/0061`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from pipeline.records import Answered, MoPart, MoRaw

#: As long as the gateway's own retries of a callback last (G8.3.1: 2 to 128 minutes, 254 in all).
SENT_AGAIN_WITHIN: Final = timedelta(minutes=254)


#: Of one key. What comes again of one before so many others is a message of its own.
MOST_UNANSWERED: Final = 256


class Unanswered(msgspec.Struct, frozen=True, array_like=True):
    """A message that was taken; where it came last."""

    bind: str
    delivery: int
    received_at: datetime


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[Unanswered]).decode


def accept_delivery(row: bytes | None, part: MoPart, raw: MoRaw) -> tuple[bytes, MoPart | None]:
    """The key's new row, and the part under its own id; None: it is one of them, sent again.

    What comes by the bind that brought it is another message: a gateway sends again by a bind only
    what was answered so, and the receiver gives the bind another name after such an answer.
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
    """The row without the message whose answer has arrived; None: nothing is left of it."""
    left = [
        unit
        for unit in _decode(row)
        if (unit.bind, unit.delivery) != (answered.bind, answered.delivery)
    ]
    return _encode(left) if left else None
