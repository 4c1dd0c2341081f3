"""The events of the stand-in, in one order; the page, the terminal and the tests read them.

The stand-in is a second implementation of the gateway: it shares `pipeline.wire` and the clock with
the product, and none of the product's rules.
"""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

EVENTS_KEPT: Final = 10_000
MOST_LOOKED_AT: Final = 1_000  # of the latest events; a submission has 600 handsets at most


class EventKind(StrEnum):
    """The kind of an event."""

    SUBMITTED = "submitted"  # an MT was taken
    REFUSED = "refused"  # an MT that the gateway did not take
    SHOWN = "shown"  # a handset shows an MT
    STATUS = "status"  # a status was pushed to the product
    TEXTED = "texted"  # a handset sent an MO
    HANDED_OVER = "handed-over"  # an MO was pushed to the product, with its answer
    FAULT = "fault"  # a fault was played
    CONSENT = "consent"  # the gateway's state of consent for a handset changed


@dataclass(frozen=True, kw_only=True)
class WorldEvent:
    """An event. `facts` are JSON values; `received` and `sent` are the octets of each direction."""

    number: int
    at: datetime
    kind: EventKind
    way: str = ""
    handset: str = ""
    sender_id: str = ""
    text: str = ""
    message_id: str = ""  # the gateway's own
    client_id: str = ""  # cliMsgId
    facts: dict[str, Any] = field(default_factory=dict)
    received: bytes = b""
    sent: bytes = b""


class World:
    """Every event, and the listeners for the next ones."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._numbers = itertools.count(1)
        self.events: deque[WorldEvent] = deque(maxlen=EVENTS_KEPT)
        self._listeners: set[Callable[[WorldEvent], None]] = set()

    def happen(self, kind: EventKind, **fields: Any) -> WorldEvent:
        """Keep an event, call every listener with it, and return it."""
        event = WorldEvent(number=next(self._numbers), at=self._now(), kind=kind, **fields)
        self.events.append(event)
        for tell in list(self._listeners):
            tell(event)
        return event

    def answer(self, received: bytes, sent: bytes) -> None:
        """Put the answer to a submission into the events of the submission.

        `received` must be the same object as in the events: they are found by identity.
        """
        for place in range(len(self.events) - 1, max(-1, len(self.events) - MOST_LOOKED_AT), -1):
            event = self.events[place]
            if event.received is received and not event.sent:
                self.events[place] = replace(event, sent=sent)

    def listen(self, tell: Callable[[WorldEvent], None]) -> Callable[[], None]:
        """Call a listener for every event from now on; return a function that ends this."""
        self._listeners.add(tell)
        return lambda: self._listeners.discard(tell)
