"""What the page needs from the gateway, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pipeline.gateway.account.account import Account
    from pipeline.gateway.account.consent import Consent
    from pipeline.gateway.faults.rules import Faults
    from pipeline.gateway.settings import GatewaySettings
    from pipeline.gateway.world import World


@dataclass(frozen=True, slots=True)
class Switch:
    """A fault as the page shows it; it always applies to its `handset`. `about` is one sentence."""

    name: str
    about: str
    is_on: bool
    played: int = 0
    group: str = ""
    handset: str = ""


class Shown(Protocol):
    """A gateway as the page uses it: read, used as a handset, and made to lie."""

    @property
    def world(self) -> World:
        """Every event."""

    def now(self) -> datetime:
        """The gateway's time; aware UTC."""

    def phones(self) -> Sequence[str]:
        """The handsets that are on the desk, digits, in the order in which they came."""

    def add_phone(self, handset: str) -> None:
        """Put a handset on the desk."""

    def numbers(self) -> Sequence[str]:
        """The numbers that a handset may text, digits."""

    async def text(self, handset: str, number: str, text: str) -> None:
        """Send an MO as the handset. Raises `ValueError` with words when it cannot."""

    def switches(self) -> Sequence[Switch]:
        """Every fault."""

    def rules(self) -> Sequence[str]:
        """The rules for faults in use, each in words."""

    def switch(self, name: str, *, is_on: bool) -> None:
        """Turn a fault on or off. Raises `KeyError` for an unknown fault."""

    def account(self) -> Mapping[str, str]:
        """The facts of the account: a label and words for each, the balance first."""

    def consent_of(self, handset: str) -> Mapping[str, str]:
        """The gateway's belief about the handset: a number, or all numbers, and the state."""


class Clock(Protocol):
    """The home's clock."""

    def now(self) -> datetime:
        """Aware UTC."""


class Played(Protocol):
    """The stand-in of the gateway, as far as the page uses it."""

    settings: GatewaySettings
    world: World
    account: Account
    consent: Consent
    all_faults: Faults
    urls: dict[str, str]

    @property
    def clock(self) -> Clock:
        """Its time."""

    async def text(
        self, handset: str, number: str, text: str, charset: str | None = None
    ) -> list[str]:
        """Send a handset's message."""
