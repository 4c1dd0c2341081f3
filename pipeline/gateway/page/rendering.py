"""Renders the page and its pieces as HTML; the live stream sends the same pieces."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from pipeline.gateway.page.conversation import conversation_from_events
from pipeline.gateway.page.exchange import MOST_LISTED, Exchange, has_octets
from pipeline.web.visible import legible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pipeline.gateway.page.conversation import Bubble
    from pipeline.gateway.page.seam import Shown
    from pipeline.gateway.world import WorldEvent

HERE: Final = Path(__file__).parent
PANELS: Final = ("phones", "wire", "faults", "account")
QUICK: Final = ("STOP", "START", "HELP", "YES")
MOST_PHONES: Final = 12
_HUES: Final = 8
_HANDSET: Final = re.compile(r"\d{1,20}")


class Rendering:
    """Renders the state of the stand-in by the templates."""

    def __init__(self, shown: Shown) -> None:
        self._shown = shown
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "time": _time,
            "moment": _moment,
            "hue": _hue,
            "plain": legible,
        }
        self._pieces = self._templates.get_template("pieces.html").module

    def page(self, *, run: str, panel: str = "phones", pinned: str = "") -> str:
        """The whole page; `run` is the id of this run, for the live stream."""
        world = self._shown.world
        numbers = self._shown.numbers()
        phones = [self._phone(handset, numbers) for handset in self.phones(pinned)]
        return self._templates.get_template("page.html").render(
            run=run,
            last=world.events[-1].number if world.events else 0,
            panel=panel if panel in PANELS else PANELS[0],
            phones=phones,
            others=max(0, len(self._known()) - len(phones)),
            most_phones=MOST_PHONES,
            numbers=numbers,
            quick=QUICK,
            exchanges=self.exchanges(),
            rules=self._shown.rules(),
            switches=self._shown.switches(),
            account=self._shown.account(),
            now=self._shown.now(),
        )

    def _phone(self, handset: str, numbers: Sequence[str]) -> tuple[Any, ...]:
        """Handset, bubbles, consent, and the number of the last message (to fill in the form)."""
        bubbles = self.bubbles(handset)
        told = (bubble.other for bubble in reversed(bubbles) if bubble.other.isdecimal())
        return handset, bubbles, self._shown.consent_of(handset), next(chain(told, numbers), "")

    def phones(self, pinned: str = "") -> list[str]:
        """The handsets to show: the pinned one, then the `MOST_PHONES` with the latest events."""
        known = self._known()
        latest = {event.handset: event.number for event in self._shown.world.events}
        busiest = sorted(known, key=lambda handset: latest.get(handset, 0), reverse=True)
        first = [pinned] if _HANDSET.fullmatch(pinned) else []
        chosen = set(dict.fromkeys([*first, *busiest][:MOST_PHONES]))
        return [*first, *(handset for handset in known if handset in chosen and handset != pinned)]

    def _known(self) -> list[str]:
        handsets = (event.handset for event in self._shown.world.events)
        return [
            h for h in dict.fromkeys([*self._shown.phones(), *handsets]) if _HANDSET.fullmatch(h)
        ]

    def bubbles(self, handset: str) -> list[Bubble]:
        """The conversation of one handset."""
        return conversation_from_events(self._shown.world.events, handset)

    def exchanges(self) -> list[Exchange]:
        """The latest `MOST_LISTED` exchanges, the newest first."""
        found = []
        for event in reversed(self._shown.world.events):
            if has_octets(event):
                found.append(Exchange(event))
            if len(found) == MOST_LISTED:
                break
        return found

    def exchange(self, event: WorldEvent, *, is_piece: bool, is_hex: bool = False) -> str:
        """One exchange with its octets, as a page or as a piece for its row in the list."""
        exchange = Exchange(event)
        if is_piece:
            return self.piece("opened", exchange, is_hex)
        return self._templates.get_template("exchange.html").render(
            exchange=exchange, is_hex=is_hex, now=self._shown.now()
        )

    def refusal(self, words: str) -> str:
        """A page with the reason why a request was refused."""
        return self._templates.get_template("refusal.html").render(words=words)

    def switches(self) -> str:
        """The piece of the page with the faults."""
        return self.piece("switches", self._shown.switches())

    def rules(self) -> str:
        """The piece of the page with the rules in use."""
        return self.piece("rules", self._shown.rules())

    def account(self) -> str:
        """The piece of the page with the account."""
        return self.piece("account", self._shown.account())

    def consent(self, handset: str) -> str:
        """The piece of a phone with the states of consent."""
        return self.piece("consent", handset, self._shown.consent_of(handset))

    def piece(self, name: str, *values: Any) -> str:
        """Render the macro `name` of `pieces.html`."""
        return str(getattr(self._pieces, name)(*values))


def _time(value: datetime) -> str:
    return value.strftime("%H:%M:%S")


def _moment(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")


def _hue(handset: str) -> int:
    """The number of a colour, always the same for a handset."""
    return sum(int(digit) * weight for weight, digit in enumerate(handset, 3)) % _HUES
