"""Whether the gateway lets an MT through (guide 7): the guide's words alone, and its six hours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from pipeline.gateway.rented import Rented

STOP_WORDS: Final = frozenset({"STOP", "END", "CANCEL", "UNSUBSCRIBE", "QUIT"})  # guide 7.1.1
STOP_ALL: Final = frozenset({"STOP ALL", "STOP STOP", "STOPALL"})
WINDOW: Final = timedelta(hours=6)
ACCOUNT: Final = "*"  # every number of the account
_WORD: Final = re.compile(r"[^\W_]+")


class Belief(StrEnum):
    """What the gateway believes of a handset and a scope: a number, a range or a keyword."""

    OPEN = "open"
    CONFIRMATION_DUE = "confirmation-due"
    STOPPED = "stopped"


@dataclass(eq=False)
class Stop:
    """A stop that was sent to `number`; of a STOP ALL there is one for all that it stops."""

    number: str
    since: datetime
    belief: Belief = Belief.CONFIRMATION_DUE


class Heard(NamedTuple):
    """What a message was: its stop word or none, and the stop that it made."""

    word: str = ""
    stop: Stop | None = None
    is_change: bool = False


@dataclass
class _Handset:
    everything: Stop | None = None  # STOP ALL
    stops: dict[str, Stop] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)  # since `everything`

    def stop_of(self, scope: str) -> Stop | None:
        """The stop in force there."""
        return self.stops.get(scope) or (None if scope in self.opened else self.everything)

    def in_force(self) -> Iterator[Stop]:
        """Each stop that holds somewhere."""
        if self.everything is not None:
            yield self.everything
        yield from self.stops.values()


class Consent:
    """By handset; what was never stopped is open."""

    def __init__(self, rented: Rented, now: Callable[[], datetime]) -> None:
        self._rented = rented
        self._now = now
        self._handsets: dict[str, _Handset] = {}

    def of(self, handset: str) -> dict[str, Belief]:
        """What is not open, by scope; `*` is all that is not named beside it."""
        known = self._handsets.get(handset, _Handset())
        named = {ACCOUNT: known.everything.belief} if known.everything else {}
        opened = dict.fromkeys(sorted(known.opened), Belief.OPEN)
        return named | opened | {scope: stop.belief for scope, stop in known.stops.items()}

    def belief(self, handset: str, scope: str) -> Belief:
        """Of one number, range or keyword."""
        known = self._handsets.get(handset)
        stop = known.stop_of(scope) if known and scope not in self._rented.premium else None
        return stop.belief if stop else Belief.OPEN

    def refuses(self, handset: str, sender: str) -> bool:
        """Whether an MT from this sender is blocked; a confirmation that is awaited is not.

        Of a shared short code no MT names its keyword: it is blocked once every keyword is.
        """
        if any(True for _ in self._awaited(handset, sender)):
            return False
        scopes = self._rented.scopes_of(sender)
        return all(self.belief(handset, scope) is Belief.STOPPED for scope in scopes)

    def texted(self, handset: str, number: str, text: str) -> Heard:
        """Take in a whole message of a handset."""
        words = [word.upper() for word in _WORD.findall(text)]
        whole = " ".join(words)
        if number in self._rented.premium:
            return Heard()
        if whole in STOP_ALL:
            return self._stop_all(handset, number, whole)
        stopped = self._stopped_by(number, words)
        if stopped:
            word = next(word for word in words if word in STOP_WORDS)
            return self._stop(handset, number, word, stopped)
        if not text.strip() or STOP_WORDS.intersection(words) or "STOPALL" in words:
            return Heard()
        before = self.of(handset)
        self._open(handset, self._opened_by(number, words))
        return Heard(is_change=self.of(handset) != before)

    def confirmed(self, handset: str, sender: str) -> bool:
        """An MT from the sender reached the handset: whether it was an awaited confirmation."""
        awaited = list(self._awaited(handset, sender))
        for stop in awaited:
            stop.belief = Belief.STOPPED
        return bool(awaited)

    def overdue(self, handset: str, stop: Stop) -> bool:
        """Six hours after a stop: whether it is still due. What it stops is blocked from now on."""
        if stop.belief is not Belief.CONFIRMATION_DUE or not self._is_in_force(handset, stop):
            return False
        stop.belief = Belief.STOPPED
        return True

    def holds(self, handset: str, stop: Stop) -> bool:
        """Whether it holds where it was sent to, and so is to be confirmed by the gateway there."""
        known = self._handsets[handset]
        scopes = self._rented.scopes_of(stop.number)
        return any(known.stop_of(scope) is stop for scope in scopes)

    def _is_in_force(self, handset: str, stop: Stop) -> bool:
        return any(each is stop for each in self._handsets[handset].in_force())

    def _awaited(self, handset: str, sender: str) -> Iterator[Stop]:
        """The stops whose confirmation this sender may send."""
        for stop in self._handsets.get(handset, _Handset()).in_force():
            is_due = stop.belief is Belief.CONFIRMATION_DUE
            if is_due and self._rented.speaks_for(sender, stop.number):
                yield stop

    def _stopped_by(self, number: str, words: Sequence[str]) -> list[str]:
        """The scopes of which the whole message is a stop (guide 7.1.1, 7.1.2)."""
        scopes = self._rented.scopes_of(number)
        if len(words) == 1 and words[0] in STOP_WORDS:
            return scopes  # without its keyword, on a shared code: each of them
        if len(words) != 2 or number not in self._rented.keywords:
            return []
        if (words[0] in STOP_WORDS) == (words[1] in STOP_WORDS):
            return []
        return [scope for scope in scopes if scope.partition("/")[2] in words]

    def _opened_by(self, number: str, words: Sequence[str]) -> list[str]:
        scopes = self._rented.scopes_of(number)
        if number not in self._rented.keywords:
            return scopes
        return [scope for scope in scopes if scope.partition("/")[2] in words]

    def _stop(self, handset: str, number: str, word: str, scopes: Sequence[str]) -> Heard:
        """Stop what is open; what is stopped already awaits no second confirmation."""
        known = self._handsets.setdefault(handset, _Handset())
        still_open = [scope for scope in scopes if known.stop_of(scope) is None]
        if not still_open:
            return Heard(word)
        stop = Stop(number, self._now())
        known.stops |= dict.fromkeys(still_open, stop)
        known.opened.difference_update(still_open)
        return Heard(word, stop, is_change=True)

    def _stop_all(self, handset: str, number: str, word: str) -> Heard:
        known = self._handsets.setdefault(handset, _Handset())
        if known.everything is not None:
            return self._stop(handset, number, word, sorted(known.opened))
        known.everything = Stop(number, self._now())
        return Heard(word, known.everything, is_change=True)

    def _open(self, handset: str, scopes: Sequence[str]) -> None:
        """A message to a number opens that number alone."""
        known = self._handsets.get(handset)
        if known is None:
            return
        for scope in scopes:
            known.stops.pop(scope, None)
            if known.everything is not None:
                known.opened.add(scope)
