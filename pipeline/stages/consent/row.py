"""The row of a handset: all that consent and gate remember about it, and how it is stored.

Times in a row are whole seconds since 1970, because gateway times have no fraction.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from pipeline.records import ConsentRule, ConsentState


class Effect(IntEnum):
    """What an event does to one side, ours or the gateway's."""

    NONE = 0
    OPEN = 1
    STOP = 2  # and a confirmation is due
    STOP_AT_ONCE = 3
    CONFIRM = 4  # a due confirmation has been sent


class Event(msgspec.Struct, array_like=True, frozen=True, kw_only=True, gc=False):
    """An event that may change consent in a scope; ordered by gateway time, then arrival."""

    at: int
    arrival: int
    ours: int
    gateway: int
    rule: str = ConsentRule.RE_ENABLED.value
    message_id: str = ""
    number: str = ""
    due: int = 0  # when the default confirmation of this stop goes out
    deadline: int = 0  # when the gateway confirms by itself (G7.1.1)
    confirms_at: int = 0  # for a confirmation: the order of the stop that it confirms
    confirms_arrival: int = 0
    actor: str = ""
    reason: str = ""

    @property
    def order(self) -> tuple[int, int]:
        """The position in the timeline."""
        return (self.at, self.arrival)


class Published(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A published row of `consent_change`: the states that hold since `at`, as numbers."""

    at: int
    ours: int
    gateway: int


class Timeline(msgspec.Struct, array_like=True, frozen=True):
    """One scope of a handset: its events in order, and the published rows."""

    scope_kind: str
    scope: str
    events: list[Event] = []
    published: list[Published] = []
    frozen_before: int = 0  # the past before this time is published and not revised any more

    @property
    def has_stops(self) -> bool:
        """Whether any event is a stop, so that a fold may give another state than open."""
        return any(e.ours in _STOPS or e.gateway in _STOPS for e in self.events)

    @property
    def is_said_open(self) -> bool:
        """Whether the last published row is open on both sides; then a fold gives open too."""
        return bool(self.published) and not (self.published[-1].ours or self.published[-1].gateway)

    @property
    def is_said_settled(self) -> bool:
        """Whether there is a published row, and in the last one no confirmation is due."""
        if not self.published:
            return False
        last = self.published[-1]
        return DUE not in (last.ours, last.gateway)

    @property
    def key(self) -> tuple[str, str]:
        """The key of the scope."""
        return (self.scope_kind, self.scope)


_STOPS: Final = (Effect.STOP, Effect.STOP_AT_ONCE)


class KeywordUse(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The keyword that a handset used last at a shared short code."""

    code: str
    keyword: str
    at: int


class Confirmation(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A confirmation that was sent. If it fails before its deadline, the default text follows."""

    command_id: str
    message_id: str  # of the stop
    number: str
    deadline: int
    is_default: bool


class HandsetConsent(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """Everything that consent and gate remember about one handset."""

    handset: str
    arrivals: int = 0
    recorded_us: int = 0  # recorded_at of the newest change, in microseconds
    last_number: str = ""  # the number the handset last texted
    last_at: int = 0
    stopped_once: bool = False  # some timeline has stops
    timelines: list[Timeline] = []
    keyword_uses: list[KeywordUse] = []
    confirmations: list[Confirmation] = []


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(HandsetConsent)

STATES: Final = (
    ConsentState.OPEN.value,
    ConsentState.CONFIRMATION_DUE.value,
    ConsentState.STOPPED.value,
)
OPEN: Final = 0
DUE: Final = 1
STOPPED: Final = 2


def octets_from_consent(row: HandsetConsent) -> bytes:
    """The row as it is stored."""
    return _ENCODER.encode(row)


def consent_from_octets(octets: bytes) -> HandsetConsent:
    """The row that `octets_from_consent` wrote; raises `msgspec.DecodeError`."""
    return _DECODER.decode(octets)
