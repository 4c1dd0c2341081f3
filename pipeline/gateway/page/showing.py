"""Gives the state of the stand-in to the page, in words."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields
from typing import TYPE_CHECKING, Final

from pipeline.gateway.faults.kinds import Group
from pipeline.gateway.page.facts import fault_of
from pipeline.gateway.page.seam import Switch
from pipeline.gateway.settings import API_IDS
from pipeline.gateway.world import EventKind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from pipeline.gateway.faults.rules import Rule
    from pipeline.gateway.page.seam import Played
    from pipeline.gateway.world import World

MOST_ADDED: Final = 1_000  # phones that a person added
GROUPS: Final = {
    Group.ANSWER: "Answers to the product",
    Group.REFUSAL: "Refusals",
    Group.CONNECTION: "Connections",
    Group.STATUS: "Statuses",
    Group.HANDSET: "What handsets send",
}
EVERYTHING: Final = "all numbers"


class Showing:
    """Implements `Shown` over the stand-in."""

    def __init__(self, gateway: Played) -> None:
        self._gateway = gateway
        self._added: dict[str, None] = {}

    @property
    def world(self) -> World:
        """The events."""
        return self._gateway.world

    def now(self) -> datetime:
        """The stand-in's time, aware UTC."""
        return self._gateway.clock.now()

    def phones(self) -> Sequence[str]:
        """The handsets that a person added, then those of the events."""
        heard = (event.handset for event in list(self.world.events) if event.handset)
        return list(dict.fromkeys([*self._added, *heard]))

    def add_phone(self, handset: str) -> None:
        """Add a handset without events; raises `ValueError` if there are `MOST_ADDED` already."""
        if len(self._added) >= MOST_ADDED:
            raise ValueError(f"{MOST_ADDED:,} phones are added already, and no more fit")
        self._added[handset] = None

    def numbers(self) -> Sequence[str]:
        """The numbers that a handset may text."""
        settings = self._gateway.settings
        return list(dict.fromkeys([*settings.numbers, *settings.short_codes]))

    async def text(self, handset: str, number: str, text: str) -> None:
        """Send an MO as the handset."""
        await self._gateway.text(handset, number, text)

    def switches(self) -> Sequence[Switch]:
        """Every fault, with the count of plays among the events that are kept."""
        events = list(self.world.events)
        played = Counter(fault_of(event) for event in events if event.kind is EventKind.FAULT)
        return [
            Switch(
                name=fault.name,
                about=fault.words,
                is_on=fault.is_on,
                played=played[fault.name],
                group=GROUPS[fault.kind.group],
                handset=fault.handset,
            )
            for fault in self._gateway.all_faults.all
        ]

    def rules(self) -> Sequence[str]:
        """The rules in use, in words: the fault, and the keys that differ from the default."""
        return [_words_of(rule) for rule in self._gateway.all_faults.rules]

    def switch(self, name: str, *, is_on: bool) -> None:
        """Switch a fault on or off; raises `KeyError` for an unknown fault."""
        self._gateway.all_faults.named(name).switch(on=is_on)

    def account(self) -> Mapping[str, str]:
        """The balance, the charges, and the API of each way, by label."""
        account, settings = self._gateway.account, self._gateway.settings
        latest = account.charges[-1] if account.charges else None
        return {
            "Balance": f"{account.balance:,.2f} credits",
            "Charges": f"{len(account.charges):,}",
            "Latest charge": f"{latest.credits:.2f} for {latest.what}" if latest else "none yet",
            "User": settings.user,
            "Password": f"{'•' * 8}, in the home's apis.toml",
            **{
                f"API by {way.upper()}": f"{api_id} at {self._gateway.urls[way]}"
                for way, api_id in API_IDS.items()
                if way in self._gateway.urls
            },
            **{
                f"TLS by {way.upper()}": self._gateway.urls[scheme]
                for way, scheme in (("http", "https"), ("smpp", "smpps"))
                if scheme in self._gateway.urls
            },
            "Hands over to": settings.product,
            "MO by": settings.mo_way.value,
        }

    def consent_of(self, handset: str) -> Mapping[str, str]:
        """The gateway's states of consent by scope; `all numbers` is the scope of STOP ALL."""
        believed = self._gateway.consent.of(handset)
        if not believed:
            return {EVERYTHING: "open"}
        return {
            EVERYTHING if number == "*" else number: str(state)
            for number, state in believed.items()
        }


def _words_of(rule: Rule) -> str:
    said = [
        f"{field.name}={value}"
        for field in fields(rule)
        if field.name != "kind" and (value := getattr(rule, field.name)) != field.default
    ]
    return " ".join([rule.name, *said])
