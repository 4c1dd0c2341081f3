"""Senders that die, stop and lose what they received, with a gateway that counts every message.

The worker is the real one, without Kafka. In every order of events: the gateway gets no command
twice, and no command later than ten seconds after a check of consent that was after a STOP.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest

from pipeline.kafka import topics
from pipeline.records import AskKind, MtCommand
from tests.support.outgoing import Outgoing
from tests.support.partition import NOON

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
#: Octets that a stopped sender or a proxy holds back arrive within this (decision 0117).
HELD_BACK_AT_MOST = 9 * MINUTE
STEPS = 300
FINAL = {"submitted", "delivered", "failed", "refused"}
ACTIONS = {
    "request": 6,
    "ask": 30,
    "use": 16,
    "withdraw": 2,
    "die": 1,
    "arrives_late": 1,
    "query": 8,
    "time": 10,
    "stop": 1,
    "open_again": 5,
}


class Permit(NamedTuple):
    """A permit that a sender holds."""

    command: MtCommand
    attempt: int
    holder: str
    until: datetime
    looked_at: datetime


class World:
    """Two senders, one handset, one gateway."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.box = Outgoing()
        self.box.pass_time(NOON)
        self.permits: list[Permit] = []
        self.known: set[tuple[str, int, str]] = set()  # permits that a sender has had
        self.held_back: list[tuple[Permit, datetime]] = []  # written, and when it was
        self.arrived: Counter[str] = Counter()
        self.told: Counter[str] = Counter()
        self.lives = 0
        self.requests = 0
        self.messages = 0
        self.is_stopped = False

    def command(self) -> MtCommand | None:
        """One of the newest commands."""
        commands = self.box.commands[-12:]
        open_ones = [c for c in commands if not self.is_final(c)]
        if open_ones and self.dice.random() < 0.7:
            return open_ones[0]
        return self.dice.choice(commands) if commands else None

    def is_final(self, command: MtCommand) -> bool:
        said = self.box.states_of(command)
        return bool(said) and said[-1].state in FINAL

    def step(self) -> None:
        """One event happens."""
        name = self.dice.choices(list(ACTIONS), list(ACTIONS.values()))[0]
        getattr(self, f"do_{name}")()
        self.told[name] += 1

    def do_request(self) -> None:
        self.requests += 1
        self.box.request(f"r{self.requests}", f"text {self.requests}")

    def do_ask(self) -> None:
        command = self.command()
        if command is None:
            return
        holder = f"{self.dice.choice('ab')}{self.lives}"
        said = self.box.states_of(command)
        attempt = (said[-1].attempt if said else 0) + self.dice.choice([0, 1, 1, 1])
        state = self.box.ask(command, attempt, holder=holder)
        known = (command.command_id, state.attempt, holder)
        if state.state == "permitted" and state.holder == holder and known not in self.known:
            assert not (self.is_stopped and command.purpose == "reply")
            assert state.until - state.consent_asked_at <= 10 * SECOND
            self.known.add(known)
            self.permits.append(
                Permit(command, state.attempt, holder, state.until, state.consent_asked_at)
            )

    def take_permit(self) -> Permit | None:
        if not self.permits:
            return None
        return self.permits.pop(self.dice.randrange(len(self.permits)))

    def do_use(self) -> None:
        """Use a permit for a call to the gateway if it is still good, or give it back."""
        permit = self.take_permit()
        if permit is None:
            return
        if self.box.now >= permit.until:
            self.give_back(permit)
            return
        how = self.dice.choice(
            ["answered", "answered", "lost", "held back", "not taken", "unknown"]
        )
        given = {"attempt": permit.attempt, "holder": permit.holder}
        if how == "not taken":
            self.box.result(permit.command, "failed", is_temporary=True, code="901", **given)
        elif how == "held back":
            self.held_back.append((permit, self.box.now))
            if self.dice.random() < 0.5:
                self.box.result(permit.command, "unknown", **given)
        else:
            self.arrive(permit)
            if how == "answered":
                gateway_id = permit.command.command_id
                self.box.result(permit.command, "submitted", gateway_message_id=gateway_id, **given)
            elif how == "unknown":
                self.box.result(permit.command, "unknown", **given)

    def give_back(self, permit: Permit) -> None:
        self.box.ask(permit.command, permit.attempt, holder=permit.holder, kind=AskKind.WITHDRAW)

    def do_withdraw(self) -> None:
        permit = self.take_permit()
        if permit is not None:
            self.give_back(permit)

    def do_die(self) -> None:
        """Every sender is killed; the records that it wrote may still arrive."""
        self.permits.clear()
        self.lives += 1

    def arrive(self, permit: Permit) -> None:
        self.arrived[permit.command.command_id] += 1
        assert self.arrived[permit.command.command_id] == 1, "the gateway got it twice"

    def do_arrives_late(self) -> None:
        if self.held_back:
            self.arrive(self.held_back.pop(0)[0])

    def do_query(self) -> None:
        """The gateway is asked and says what it has, or it reports without being asked."""
        command = self.command()
        if command is None or not self.box.states_of(command):
            return
        if self.arrived[command.command_id]:
            self.box.callback(command, "003", gateway_id=command.command_id)
        else:
            not_known = {"source": "query", "code": "104", "is_temporary": True, "holder": ""}
            self.box.result(command, "failed", **not_known)

    def do_time(self) -> None:
        self.pass_time(self.dice.choice([1, 3, 8, 11, 60, 100, 300, 660]))

    def pass_time(self, seconds: int, *, ticks: bool = True) -> None:
        """Let time pass in steps: what is held back arrives in its time.

        Without `ticks` there is none where nothing is due, but for the last.
        """
        due = self.box.first_due()
        while seconds > 0:
            to = self.box.now + min(seconds, 30) * SECOND
            seconds -= 30
            if ticks or seconds <= 0 or due <= to:
                self.box.pass_time(to)
                due = self.box.first_due()
            self.box.now = to
            for permit, written in list(self.held_back):
                if self.box.now - written >= HELD_BACK_AT_MOST:
                    self.held_back.remove((permit, written))
                    self.arrive(permit)

    def do_stop(self) -> None:
        self.say("STOP")
        self.is_stopped = True

    def do_open_again(self) -> None:
        self.say("hello")
        self.is_stopped = False

    def say(self, text: str) -> None:
        self.messages += 1
        self.box.pass_time(self.box.now + SECOND)
        self.box.raw(text, at=self.box.now, mo_msg_id=f"m{self.messages}")

    def check(self) -> None:
        """No reply waits while its sender is stopped."""
        if self.is_stopped:
            for command in self.box.commands:
                said = self.box.states_of(command)
                assert not (command.purpose == "reply" and said and said[-1].state == "waiting")

    def end(self) -> None:
        """Every command has a state, and no command that arrived has failed."""
        for _ in range(60):
            self.pass_time(1800, ticks=False)
        for command in self.box.commands:
            state = self.box.state_of(command).state
            assert state in FINAL | {"unknown"}
            if self.arrived[command.command_id]:
                assert state in {"submitted", "delivered", "unknown"}
        assert self.box.written(topics.DEAD_LETTER) == []


@pytest.mark.parametrize("first", [0, 20, 40])
def test_nothing_is_sent_twice_and_nothing_after_a_stop(first: int) -> None:
    arrived = 0
    for seed in range(first, first + 20):
        world = World(seed)
        for _ in range(STEPS):
            world.step()
        world.check()
        world.end()
        arrived += sum(world.arrived.values())
    assert arrived > 100
