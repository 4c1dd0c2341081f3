"""The interfaces through which the page uses the stand-in."""

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
    """A fault as the page shows it. `about` is one sentence; `handset` is its test handset."""

    name: str
    about: str
    is_on: bool
    played: int = 0
    group: str = ""
    handset: str = ""


class Shown(Protocol):
    """The stand-in as the page uses it: it reads the state, texts as a handset, switches faults."""

    @property
    def world(self) -> World:
        """The events."""

    def now(self) -> datetime:
        """The stand-in's time, aware UTC."""

    def phones(self) -> Sequence[str]:
        """The handsets that the page knows, digits, in the order of their first events."""

    def add_phone(self, handset: str) -> None:
        """Add a handset without events to the page."""

    def numbers(self) -> Sequence[str]:
        """The numbers that a handset may text, digits."""

    async def text(self, handset: str, number: str, text: str) -> None:
        """Send an MO as the handset; raises `ValueError` if the text cannot be sent."""

    def switches(self) -> Sequence[Switch]:
        """Every fault, and whether it is switched on."""

    def rules(self) -> Sequence[str]:
        """The rules of faults in use, each in words."""

    def switch(self, name: str, *, is_on: bool) -> None:
        """Switch a fault on or off; raises `KeyError` for an unknown fault."""

    def account(self) -> Mapping[str, str]:
        """The facts of the account by label, the balance first."""

    def consent_of(self, handset: str) -> Mapping[str, str]:
        """The gateway's state of consent for the handset, by scope."""


class Clock(Protocol):
    """The home's clock."""

    def now(self) -> datetime:
        """The time, aware UTC."""


class Played(Protocol):
    """The parts of the stand-in that `Showing` reads."""

    settings: GatewaySettings
    world: World
    account: Account
    consent: Consent
    all_faults: Faults
    urls: dict[str, str]

    @property
    def clock(self) -> Clock:
        """The home's clock."""

    async def text(
        self, handset: str, number: str, text: str, charset: str | None = None
    ) -> list[str]:
        """Send a handset's message."""
