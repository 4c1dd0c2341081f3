"""What every way to an application is: it makes one attempt, and says what it saw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pipeline.delivery.orders import DeliveryOrder
    from pipeline.records import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of an attempt. The words are bounded, without secrets and numbers.

    `sent` and `received` are octets for whoever tries a path; elsewhere they are empty.
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
    """A way to one application. It opens connections when needed; `close` ends them."""

    async def deliver(self, order: DeliveryOrder, record: Record) -> Seen:
        """Hand it on. A failure of any kind is a `Seen`; takes at most the path's time."""

    async def close(self) -> None:
        """End the connections."""
