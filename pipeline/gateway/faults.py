"""Lies on demand: each fault has a name, a switch, and a handset that always meets it."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from typing import Final

#: Clickatell's range of test numbers (SMPP API 2.5.2): a fault's digits follow.
MAGIC: Final = "27999100"

_NAMES: Final = (
    ("0001", "lose-answer", "The message is taken, and the connection ends without an answer."),
    ("0002", "reset-before-read", "The connection is reset; nothing was taken."),
    ("0003", "cut-answer", "The message is taken, and the answer ends after 4 octets."),
    ("0004", "html", "The message is taken, and the answer is a page of HTML."),
    ("0005", "huge", "The message is taken, and the answer has 10 MB."),
    ("0006", "hang", "The message is taken, and no answer comes."),
    ("0007", "slow", "The message is taken, and an octet of the answer comes a second."),
    ("0008", "busy", "503: nothing was taken."),
    ("0009", "throttle", "ERR 130: too many messages for now."),
    ("0010", "status-never", "No status is ever pushed."),
    ("0011", "status-twice", "Each status is pushed twice."),
    ("0012", "status-disorder", "The last status is pushed first."),
    ("0013", "status-late", "Statuses come three days later."),
    ("0014", "undelivered", "The handset does not get the message: status 007."),
    ("0021", "mo-twice", "Each part of a handset's message is handed over twice."),
    ("0022", "mo-disorder", "The parts of a handset's message come in reverse order."),
    ("0023", "mo-late", "A handset's message is handed over an hour late, as a retry."),
    ("0024", "mo-split", "The last part of a long message of a handset never comes."),
)
_REFUSED: Final = re.compile(f"{MAGIC}0([1-9][0-9]{{2}})")


@dataclass
class Fault:
    """One fault; `share` is how often it is met while it is on, from 0 to 1."""

    name: str
    handset: str
    words: str
    is_on: bool = False
    share: float = 1.0

    def switch(self, *, on: bool) -> None:
        """Turn it on or off for every handset."""
        self.is_on = on


class Faults:
    """All of them. Chance is seeded: the same run meets the same faults."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self.all = [Fault(name, MAGIC + digits, words) for digits, name, words in _NAMES]

    def named(self, name: str) -> Fault:
        """One of them; raises `KeyError`."""
        found = next((fault for fault in self.all if fault.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def met(self, handset: str, *names: str) -> str:
        """The first of `names` that a message from or to this handset meets; empty: none."""
        for fault in self.all:
            if fault.name not in names:
                continue
            if fault.handset == handset:
                return fault.name
            if fault.is_on and self._random.random() < fault.share:
                return fault.name
        return ""


def refused_code(handset: str) -> str:
    """The error code that a magic handset stands for, 279991000 and three digits; empty: none."""
    found = _REFUSED.fullmatch(handset)
    return found[1] if found else ""
