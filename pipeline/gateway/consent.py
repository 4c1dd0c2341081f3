"""Whether the gateway lets an MT through (guide 7): the guide's words alone, and its six hours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

STOP_WORDS: Final = frozenset({"STOP", "END", "CANCEL", "UNSUBSCRIBE", "QUIT"})  # guide 7.1.1
STOP_ALL: Final = frozenset({"STOP ALL", "STOP STOP", "STOPALL"})
WINDOW: Final = timedelta(hours=6)
ACCOUNT: Final = "*"  # every number of the account
_WORD: Final = re.compile(r"[^\W_]+")


class Belief(StrEnum):
    """What the gateway believes of a handset and a number."""

    OPEN = "open"
    CONFIRMATION_DUE = "confirmation-due"
    STOPPED = "stopped"


@dataclass
class _Stop:
    belief: Belief
    since: datetime


class Consent:
    """By handset and number; what was never stopped is open."""

    def __init__(self, numbers: Sequence[str], now: Callable[[], datetime]) -> None:
        self._numbers = numbers
        self._now = now
        self._stops: dict[tuple[str, str], _Stop] = {}

    def of(self, handset: str) -> dict[str, Belief]:
        """What is not open, by number; `*` is every number of the account."""
        return {
            number: stop.belief for (who, number), stop in self._stops.items() if who == handset
        }

    def belief(self, handset: str, number: str) -> Belief:
        """Of one number."""
        stop = self._stops.get((handset, number)) or self._stops.get((handset, ACCOUNT))
        return stop.belief if stop else Belief.OPEN

    def texted(self, handset: str, number: str, text: str) -> str:
        """Take in a whole message of a handset; the stop word that it is, or empty."""
        words = [word.upper() for word in _WORD.findall(text)]
        whole = " ".join(words)
        if whole in STOP_ALL:
            self._stop(handset, ACCOUNT)
            return whole
        if whole in STOP_WORDS:
            self._stop(handset, number)
            return whole
        if words and not STOP_WORDS.intersection(words) and "STOPALL" not in words:
            self._open(handset, number)
        return ""

    def confirmed(self, handset: str, number: str) -> bool:
        """An MT from the number reached the handset: whether it was the awaited confirmation."""
        for scope in (number, ACCOUNT):
            stop = self._stops.get((handset, scope))
            if stop and stop.belief is Belief.CONFIRMATION_DUE:
                stop.belief = Belief.STOPPED
                return True
        return False

    def overdue(self, handset: str, number: str, since: datetime) -> bool:
        """Six hours after the stop of `since`: whether no confirmation came. It is blocked now."""
        for scope in (number, ACCOUNT):
            stop = self._stops.get((handset, scope))
            if stop and stop.since == since and stop.belief is Belief.CONFIRMATION_DUE:
                stop.belief = Belief.STOPPED
                return True
        return False

    def since(self, handset: str, number: str) -> datetime | None:
        """When the stop was sent whose confirmation is due; None: none is."""
        for scope in (number, ACCOUNT):
            stop = self._stops.get((handset, scope))
            if stop and stop.belief is Belief.CONFIRMATION_DUE:
                return stop.since
        return None

    def _stop(self, handset: str, scope: str) -> None:
        if (handset, scope) not in self._stops:
            self._stops[handset, scope] = _Stop(Belief.CONFIRMATION_DUE, self._now())

    def _open(self, handset: str, number: str) -> None:
        everything = self._stops.pop((handset, ACCOUNT), None)
        self._stops.pop((handset, number), None)
        if everything:  # a message to a number opens that number alone
            self._kept_shut(handset, number, everything)

    def _kept_shut(self, handset: str, number: str, everything: _Stop) -> None:
        for other in self._numbers:
            if other != number:
                self._stops.setdefault((handset, other), everything)
