"""A handset talks to the stand-in, the stand-in to the product, the product to the stand-in.

Whatever happens in whatever order: what the product says of the gateway's state is what the gateway
believes, but where the guide leaves it open (decision 0126).
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from pipeline.clock import PipelineClock
from pipeline.gateway.account.consent import Belief
from pipeline.gateway.gateway import Gateway
from pipeline.gateway.settings import API_IDS, GatewaySettings
from pipeline.gateway.world import World as Events
from pipeline.kafka import topics
from tests.gateway.both_sides.comparing import Comparison
from tests.gateway.both_sides.numbers import (
    KEYWORDS,
    SHARED,
    TEXTED,
    settings_of_the_gateway,
)
from tests.gateway.both_sides.product import Product, Road
from tests.gateway.both_sides.texts import words_for
from tests.support.partition import HANDSET

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from pipeline.records import MtCommand

SECOND = timedelta(seconds=1)
STEPS = 60
ACTIONS = {
    "text": 30,
    "request": 14,
    "send": 24,
    "arrive": 8,
    "query": 6,
    "time": 16,
    "road": 2,
}
FATES = {"taken": 14, "held back": 3, "not taken": 2, "answer lost": 2, "refused": 1, "died": 1}
SPELLS = (1, 5, 40, 300, 300, 1500, 3600, 7000, 20_700, 20_700, 21_600, 100_000)  # seconds
LONGEST_STEP = timedelta(minutes=14)  # within the quarter of an hour in which we confirm


class ProductClock(PipelineClock):
    """The clock of both sides; whole seconds."""

    def __init__(self, home: Path, product: Product) -> None:
        super().__init__(home)
        self._product = product

    def now(self) -> datetime:
        return self._product.now


class World:
    """One handset, one account, one gateway."""

    def __init__(self, seed: int, home: Path) -> None:
        self.dice = random.Random(seed)
        self.product = Product()
        settings = GatewaySettings(home=home, seed=seed, **settings_of_the_gateway())
        clock = ProductClock(home, self.product)
        self.gateway = Gateway(settings, Events(clock.now), clock)
        self.road = Road(self.product)
        self.gateway.post = self.road  # type: ignore[assignment]
        self.numbers = self.dice.sample(TEXTED, 3)  # few, so that much is said of the same
        self.held_back: list[tuple[MtCommand, int, datetime]] = []
        self.asked = 0
        self.told: Counter[str] = Counter()
        self.comparison = Comparison(self.product, self.gateway)

    async def play(self) -> None:
        """So many steps, compared after each."""
        for _ in range(STEPS):
            name = self.dice.choices(list(ACTIONS), list(ACTIONS.values()))[0]
            await getattr(self, f"do_{name}")()
            await self.settle()
            self.told[name] += 1
            if not self.road.untaken:
                self.comparison.compare()
        await self.pass_seconds(30 * 3600)  # the road is open by now, and every deadline is past
        self.comparison.compare()
        assert self.product.written(topics.DEAD_LETTER) == []

    async def settle(self) -> None:
        """Every job of the stand-in that is due has run."""
        self.gateway.schedule.run_due()
        await asyncio.gather(*self.gateway.schedule._running)

    async def pass_seconds(self, seconds: int) -> None:
        """In steps, both sides at each; whatever the stand-in has due is due at its second."""
        end = self.product.now + seconds * SECOND
        while self.product.now < end:
            due = self.gateway.schedule._due
            soon = min(due[0][0], end) if due else end
            longest = end if self.is_quiet() else self.product.now + LONGEST_STEP
            self.product.now = min(max(soon, self.product.now + SECOND), longest)
            await self.settle()
            self.product.tick(self.product.now)
            if self.dice.random() < 0.5:
                self.send_waiting()

    def is_quiet(self) -> bool:
        """Whether nothing happens by itself: no confirmation is due, and no command waits."""
        is_due = Belief.CONFIRMATION_DUE in self.gateway.consent.of(HANDSET).values()
        return not is_due and not self.product.awaits() and not self.product.open_commands()

    async def do_time(self) -> None:
        await self.pass_seconds(self.dice.choice(SPELLS))

    async def do_road(self) -> None:
        """Ingest is away for a while; the gateway tries again."""
        self.road.closed_until = self.product.now + self.dice.choice((60, 600, 3600)) * SECOND

    async def do_text(self) -> None:
        """The handset sends something; two messages are a second apart at least."""
        await self.pass_seconds(1)
        number = self.dice.choice(self.numbers)
        text, kind = words_for(number, self.dice)
        with self.fault_of_parts():
            await self.gateway.text(HANDSET, number, text)
        is_late = bool(self.road.untaken)
        self.comparison.heard(number, text, kind=kind, is_late=is_late)

    def fault_of_parts(self) -> Switched:
        """Parts come twice or in another order, now and then."""
        names = ("mo-twice", "mo-disorder")
        chosen = self.dice.choice(names) if self.dice.random() < 0.2 else ""
        return Switched(self.gateway, chosen)

    async def do_request(self) -> None:
        """An application wants to send, or confirms a stop."""
        self.asked += 1
        sender = self.dice.choice(self.numbers)
        keyword = self.dice.choice(KEYWORDS) if sender == SHARED else ""
        confirms = self.dice.random() < 0.4
        self.product.wants(f"r{self.asked}", sender, keyword=keyword, confirms=confirms)

    async def do_send(self) -> None:
        self.send_waiting()

    def send_waiting(self) -> None:
        """A sender works on what waits; what becomes of it is chance."""
        for command in self.product.open_commands():
            said = self.product.states_of(command)
            attempt = (said[-1].attempt if said else 0) + 1
            state = self.product.ask(command, attempt)
            if state.state != "permitted" or state.attempt != attempt:
                continue
            fate = self.dice.choices(list(FATES), list(FATES.values()))[0]
            self.told[fate] += 1
            if fate == "taken":
                self.submit(command, attempt)
            elif fate == "held back":
                self.held_back.append((command, attempt, self.product.now))
            elif fate == "not taken":
                self.product.result(
                    command, "failed", attempt=attempt, is_temporary=True, code="901"
                )
            elif fate == "answer lost":
                self.submit(command, attempt, is_heard=False)
                self.product.result(command, "unknown", attempt=attempt)
            elif fate == "refused":
                self.product.result(command, "failed", attempt=attempt, code="105")

    def submit(self, command: MtCommand, attempt: int, *, is_heard: bool = True) -> None:
        """It reaches the gateway."""
        given = {
            "from": command.sender_id,
            "to": HANDSET,
            "text": command.text,
            "mo": "1",
            "concat": "3",
            "climsgid": command.command_id,
            "callback": "7",
        }
        before = self.comparison.theirs()
        (result,) = self.gateway.desk.send("http", API_IDS["http"], given, received=b"")
        self.comparison.sent(command, result, before)
        if not is_heard:
            return
        if result.message is not None:
            self.product.result(
                command,
                "submitted",
                attempt=attempt,
                gateway_message_id=result.message.message_id,
            )
        elif result.refusal is not None:
            self.product.result(command, "failed", attempt=attempt, code=result.refusal.code)

    async def do_arrive(self) -> None:
        """What a socket held back arrives."""
        if self.held_back:
            command, attempt, _ = self.held_back.pop(0)
            self.submit(command, attempt)

    async def do_query(self) -> None:
        """The gateway is asked about a command whose fate is unknown."""
        unknown = [c for c in self.product.commands[-12:] if self.product.standing(c) == "unknown"]
        for command in unknown:
            if any(command is held for held, _, _ in self.held_back):
                continue
            found = self.gateway.messages._by_client_id.get(command.command_id)
            told = {"source": "query", "holder": ""}
            if found is None:
                self.product.result(command, "failed", code="104", is_temporary=True, **told)
            else:
                gateway_id = found.message_id
                self.product.result(command, "submitted", gateway_message_id=gateway_id, **told)


class Switched:
    """A fault that is on for a moment; no name, none."""

    def __init__(self, gateway: Gateway, name: str) -> None:
        self._fault = gateway.all_faults.named(name) if name else None

    def __enter__(self) -> None:
        if self._fault:
            self._fault.switch(on=True)

    def __exit__(self, *_: object) -> None:
        if self._fault:
            self._fault.switch(on=False)
