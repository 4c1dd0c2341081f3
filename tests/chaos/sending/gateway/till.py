"""The gateway's decision on each message. It notes every octet and never forgets an id."""

from __future__ import annotations

import hashlib
import json
import random
import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: What becomes of a message at its first attempt, in percent; the rest is taken and answered.
LOST, THROTTLED, REFUSED = 5, 5, 2
#: Seconds until an answer, for half of the messages.
LATEST_ANSWER: Final = 0.8


@dataclass(frozen=True, kw_only=True)
class Message:
    """What was received. `command_id` is cliMsgId, which SMPP does not have."""

    way: str
    handset: str
    sender_id: str
    text: str
    command_id: str = ""
    part: int = 1
    parts: int = 1
    reference: int = 0

    @property
    def identity(self) -> str:
        """What is equal in every attempt of the same message."""
        return self.command_id or f"{self.handset}/{self.sender_id}/{self.text}/{self.part}"


@dataclass(frozen=True, kw_only=True)
class Fate:
    """The outcome of a message: taken, lost (taken but not answered), throttled or refused."""

    name: str
    gateway_id: str
    seconds: float  # until the answer
    before_answer: bool  # the statuses are told before it
    is_silent: bool  # of a lost answer: the connection stays

    @property
    def is_taken(self) -> bool:
        return self.name in ("taken", "lost")


class Till:
    """Decides by the seed and the message, and notes what it received; for several threads."""

    def __init__(self, log: Path, *, seed: int, told: Callable[[Message, Fate], None]) -> None:
        self._log = log.open("a", encoding="utf-8", buffering=1)
        self._seed = seed
        self._told = told
        self._lock = threading.Lock()
        self._attempts: dict[str, int] = {}
        self._taken: dict[str, str] = {}  # gateway ids by cliMsgId

    def receive(self, message: Message, *, never: str = "") -> Fate:
        """Decide and note the message; from now on the statuses of a taken message are sent.

        `never` are the outcomes that this way cannot express; the message is taken instead.
        """
        with self._lock:
            attempt = self._attempts[message.identity] = self._attempts.get(message.identity, 0) + 1
            fate = self._fate(message.identity, attempt)
            if fate.name == never:
                fate = replace(fate, name="taken")
            if fate.is_taken and message.command_id:
                self._taken[message.command_id] = fate.gateway_id
            self._log.write(json.dumps({"at": time.time(), "fate": fate.name, **vars(message)}))
            self._log.write("\n")
        if fate.is_taken:
            self._told(message, fate)
        return fate

    def id_of(self, command_id: str) -> str:
        """The gateway's id of the message with this cliMsgId; empty if it knows none."""
        with self._lock:
            return self._taken.get(command_id, "")

    def close(self) -> None:
        self._log.close()

    def _fate(self, identity: str, attempt: int) -> Fate:
        words = f"{self._seed}/{identity}/{attempt}"
        rng = random.Random(words)
        name = "taken"
        if attempt == 1:
            chance = rng.uniform(0, 100)
            if chance < LOST:
                name = "lost"
            elif chance < LOST + THROTTLED:
                name = "throttled"
            elif chance < LOST + THROTTLED + REFUSED:
                name = "refused"
        return Fate(
            name=name,
            gateway_id=hashlib.md5(words.encode(), usedforsecurity=False).hexdigest(),
            seconds=rng.choice((0.0, rng.uniform(0.0, LATEST_ANSWER))),
            before_answer=rng.random() < 0.2,
            is_silent=rng.random() < 0.7,
        )
