"""The row of a handset: what consent and gate must remember of it, small, and how it is stored.

Times in a row are whole seconds since 1970 (gateway times are compared so).
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
    CONFIRM = 4  # ends what is due


class Event(msgspec.Struct, array_like=True, frozen=True, kw_only=True, gc=False):
    """Something that may change consent in a scope. Order is gateway time, then arrival."""

    at: int
    arrival: int
    ours: int
    gateway: int
    rule: str = ConsentRule.RE_ENABLED.value
    message_id: str = ""
    number: str = ""
    due: int = 0  # when the default confirmation of this stop goes out
    deadline: int = 0  # when the gateway confirms by itself (G7.1.1)
    confirms_at: int = 0  # of a confirmation: the order of the stop it confirms
    confirms_arrival: int = 0
    actor: str = ""
    reason: str = ""

    @property
    def order(self) -> tuple[int, int]:
        """Where it stands in the timeline."""
        return (self.at, self.arrival)


class Published(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A row of `consent_change` that readers have: states true since `at`, as numbers."""

    at: int
    ours: int
    gateway: int


class Timeline(msgspec.Struct, array_like=True, frozen=True):
    """One scope of a handset: the events that matter, in order, and what was said of them."""

    scope_kind: str
    scope: str
    events: list[Event] = []
    published: list[Published] = []
    frozen_before: int = 0  # the past before this is said and no longer revised

    @property
    def has_stops(self) -> bool:
        """Whether a fold can give anything but open."""
        return any(e.ours in _STOPS or e.gateway in _STOPS for e in self.events)

    @property
    def is_said_open(self) -> bool:
        """Whether readers have rows and the last is open on both sides, as then a fold is, too."""
        return bool(self.published) and not (self.published[-1].ours or self.published[-1].gateway)

    @property
    def is_said_settled(self) -> bool:
        """Whether readers have rows and by the last no confirmation is due on either side."""
        if not self.published:
            return False
        last = self.published[-1]
        return DUE not in (last.ours, last.gateway)

    @property
    def key(self) -> tuple[str, str]:
        """What tells the scopes of a handset apart."""
        return (self.scope_kind, self.scope)


_STOPS: Final = (Effect.STOP, Effect.STOP_AT_ONCE)


class KeywordUse(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """The keyword a handset last used at a shared short code."""

    code: str
    keyword: str
    at: int


class Confirmation(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A confirmation that is out; until its deadline it may fail and be followed."""

    command_id: str
    message_id: str  # of the stop
    number: str
    deadline: int
    is_default: bool


class HandsetConsent(msgspec.Struct, array_like=True, frozen=True, kw_only=True):
    """Everything consent and gate must remember of one handset."""

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

STATES: Final = (ConsentState.OPEN, ConsentState.CONFIRMATION_DUE, ConsentState.STOPPED)
OPEN: Final = 0
DUE: Final = 1
STOPPED: Final = 2


def octets_from_consent(row: HandsetConsent) -> bytes:
    """The row as it is stored."""
    return _ENCODER.encode(row)


def consent_from_octets(octets: bytes) -> HandsetConsent:
    """The row that `octets_from_consent` wrote; raises `msgspec.DecodeError`."""
    return _DECODER.decode(octets)
