"""The interface of every way to an application: it makes one attempt, and returns what it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of an attempt. The words are bounded, without secrets and numbers.

    `sent` and `received` are octets for the command that tries a path, and else empty.
    """

    is_delivered: bool
    status: str = ""
    words: str = ""
    retry_after_seconds: int = 0
    is_throttled: bool = False
    is_nobody_there: bool = False  # no attempt was made
    sent: bytes = b""
    received: bytes = b""


class ReplyWayOut(Protocol):
    """A way to one application; it connects when needed."""

    async def deliver(self, order: DeliveryOrder, record: Record) -> Seen:
        """Hand a record on. Any failure is a `Seen`; it takes at most the path's timeout."""

    async def close(self) -> None:
        """End the connections."""
