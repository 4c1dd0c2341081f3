"""Whether the gateway lets an MT through (guide 7): the guide's words alone, and its six hours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from pipeline.gateway.settings import GatewaySettings

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
    """Of one scope, or of several that one message stopped."""

    belief: Belief
    since: datetime


class Consent:
    """By handset and scope: a number, `*`, or `CODE/KEYWORD`. What was never stopped is open."""

    def __init__(self, settings: GatewaySettings, now: Callable[[], datetime]) -> None:
        self._numbers = (*settings.numbers, *settings.short_codes)
        self._premium = settings.premium
        self._linked = settings.linked
        self._keywords = {
            code: tuple(_whole(keyword) for keyword in keywords)
            for code, keywords in settings.keywords.items()
        }
        self._now = now
        self._stops: dict[tuple[str, str], _Stop] = {}
        self._used: dict[tuple[str, str], str] = {}  # the keyword that a handset used last

    def of(self, handset: str) -> dict[str, Belief]:
        """What is not open, by scope."""
        return {scope: stop.belief for (who, scope), stop in self._stops.items() if who == handset}

    def belief(self, handset: str, number: str) -> Belief:
        """Of a message from one number; from a shared code it goes for the keyword used last."""
        beliefs = []
        for scope in self._sending_scopes(handset, number):
            stop = self._stops.get((handset, scope)) or self._stops.get((handset, ACCOUNT))
            beliefs.append(stop.belief if stop else Belief.OPEN)
        return next(belief for belief in Belief if belief in beliefs)  # the most open

    def texted(self, handset: str, number: str, text: str) -> str:
        """Take in a whole message of a handset; the stop word that it is, or empty."""
        whole = _whole(text)
        words = whole.split()
        stops, word = self._stopped_by(handset, number, whole)
        if stops:
            if number not in self._premium:  # "this rule does not apply" (guide 7.1.1)
                self._stop(handset, stops)
            return word
        if words and not STOP_WORDS.intersection(words) and "STOPALL" not in words:
            for scope in self._opened_by(handset, number, whole):
                self._open(handset, scope)
        return ""

    def confirmed(self, handset: str, number: str) -> bool:
        """An MT from the number reached the handset: whether it was an awaited confirmation.

        Of several that are due it is that of the first stop.
        """
        due = min(self._due(handset, number), key=lambda stop: stop.since, default=None)
        if due is not None:
            due.belief = Belief.STOPPED
        return due is not None

    def overdue(self, handset: str, number: str, since: datetime) -> bool:
        """Six hours after the stop of `since`: whether no confirmation came. It is blocked now."""
        for stop in self._due(handset, number):
            if stop.since == since:
                stop.belief = Belief.STOPPED
                return True
        return False

    def since(self, handset: str, number: str) -> datetime | None:
        """When the last stop was sent whose confirmation is due; None: none is."""
        return max((stop.since for stop in self._due(handset, number)), default=None)

    def _due(self, handset: str, number: str) -> Iterator[_Stop]:
        """The stops that a message from the number may confirm: those of a code it is linked to."""
        spoken_for = {number, *(code for code, by in self._linked.items() if by == number)}
        for (who, scope), stop in self._stops.items():
            if who != handset or stop.belief is not Belief.CONFIRMATION_DUE:
                continue
            if scope == ACCOUNT or scope.partition("/")[0] in spoken_for:
                yield stop

    def _stopped_by(self, handset: str, number: str, whole: str) -> tuple[list[str], str]:
        """The scopes that a whole message stops, and its stop word."""
        if whole in STOP_ALL:
            return [ACCOUNT], whole
        keywords = self._keywords.get(number)
        if (
            whole in STOP_WORDS
        ):  # the guide has no bare word on a shared code: it stops each keyword
            return [number] if keywords is None else _scopes(number, keywords), whole
        for keyword in keywords or ():
            for word in STOP_WORDS:
                if whole in (f"{word} {keyword}", f"{keyword} {word}"):
                    self._used[handset, number] = keyword
                    return _scopes(number, (keyword,)), word
        return [], ""

    def _opened_by(self, handset: str, number: str, whole: str) -> list[str]:
        keywords = self._keywords.get(number)
        if keywords is None:
            return [number]
        found = [keyword for keyword in keywords if f" {keyword} " in f" {whole} "]
        if found:
            self._used[handset, number] = found[0]
        return _scopes(number, found)

    def _sending_scopes(self, handset: str, number: str) -> list[str]:
        keywords = self._keywords.get(number)
        if not keywords:
            return [number]
        used = self._used.get((handset, number))
        return _scopes(number, (used,) if used else keywords)

    def _stop(self, handset: str, scopes: list[str]) -> None:
        stop = _Stop(Belief.CONFIRMATION_DUE, self._now())
        for scope in scopes:
            self._stops.setdefault((handset, scope), stop)

    def _open(self, handset: str, scope: str) -> None:
        everything = self._stops.pop((handset, ACCOUNT), None)
        self._stops.pop((handset, scope), None)
        if everything:  # a message to a number opens that number alone
            for other in self._all_scopes():
                if other != scope:
                    self._stops.setdefault((handset, other), everything)

    def _all_scopes(self) -> Iterator[str]:
        for number in self._numbers:
            keywords = self._keywords.get(number)
            yield from [number] if keywords is None else _scopes(number, keywords)


def _whole(text: str) -> str:
    """The words of a text in upper case, one blank between; nothing else of it."""
    return " ".join(word.upper() for word in _WORD.findall(text))


def _scopes(code: str, keywords: tuple[str, ...] | list[str]) -> list[str]:
    return [f"{code}/{keyword}" for keyword in keywords]
