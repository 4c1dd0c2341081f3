"""The gateway's own state of consent (guide 7): stop words, six hours, and which MT is refused."""

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
ACCOUNT: Final = "*"  # the scope of STOP ALL: every number of the account
_WORD: Final = re.compile(r"[^\W_]+")


class Belief(StrEnum):
    """The state of consent of a handset for one scope: a number, a range or a keyword."""

    OPEN = "open"
    CONFIRMATION_DUE = "confirmation-due"
    STOPPED = "stopped"


@dataclass(eq=False)
class Stop:
    """A stop that was sent to `number`; one object stands for every scope that it stops."""

    number: str
    since: datetime
    belief: Belief = Belief.CONFIRMATION_DUE


class Heard(NamedTuple):
    """What a handset's message did: its stop word (empty if none), and the stop that it made."""

    word: str = ""
    stop: Stop | None = None
    is_change: bool = False


@dataclass
class _Handset:
    everything: Stop | None = None  # STOP ALL
    stops: dict[str, Stop] = field(default_factory=dict)
    opened: set[str] = field(default_factory=set)  # scopes opened again after STOP ALL

    def stop_of(self, scope: str) -> Stop | None:
        """The stop in force for a scope; None if the scope is open."""
        return self.stops.get(scope) or (None if scope in self.opened else self.everything)

    def in_force(self) -> Iterator[Stop]:
        """Yield the STOP ALL, if there is one, then the stop of each stopped scope."""
        if self.everything is not None:
            yield self.everything
        yield from self.stops.values()


class Consent:
    """The gateway's state of consent for every handset; a scope that was never stopped is open."""

    def __init__(self, rented: Rented, now: Callable[[], datetime]) -> None:
        self._rented = rented
        self._now = now
        self._handsets: dict[str, _Handset] = {}

    def of(self, handset: str) -> dict[str, Belief]:
        """The states of a handset by scope; after STOP ALL `*` is every scope not in the result.

        Without STOP ALL a scope that is not in the result is open.
        """
        known = self._handsets.get(handset, _Handset())
        named = {ACCOUNT: known.everything.belief} if known.everything else {}
        opened = dict.fromkeys(sorted(known.opened), Belief.OPEN)
        return named | opened | {scope: stop.belief for scope, stop in known.stops.items()}

    def belief(self, handset: str, scope: str) -> Belief:
        """The state of a handset for one scope; always open for a premium number (guide 7.1.1)."""
        known = self._handsets.get(handset)
        stop = known.stop_of(scope) if known and scope not in self._rented.premium else None
        return stop.belief if stop else Belief.OPEN

    def refuses(self, handset: str, sender: str) -> bool:
        """Whether an MT from this sender is refused; the awaited confirmation of a stop is not.

        An MT from a shared short code names no keyword: it is refused once every keyword of the
        code is stopped.
        """
        if any(True for _ in self._awaited(handset, sender)):
            return False
        scopes = self._rented.scopes_of(sender)
        return all(self.belief(handset, scope) is Belief.STOPPED for scope in scopes)

    def texted(self, handset: str, number: str, text: str) -> Heard:
        """Apply a whole message of a handset to its state of consent."""
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
        """Take an MT from `sender` as the confirmation of the stops that await one there.

        Returns whether a stop awaited one.
        """
        awaited = list(self._awaited(handset, sender))
        for stop in awaited:
            stop.belief = Belief.STOPPED
        return bool(awaited)

    def overdue(self, handset: str, stop: Stop) -> bool:
        """End the six hours of a stop: block what it stops; return whether nobody confirmed it."""
        if stop.belief is not Belief.CONFIRMATION_DUE or not self._is_in_force(handset, stop):
            return False
        stop.belief = Belief.STOPPED
        return True

    def holds(self, handset: str, stop: Stop) -> bool:
        """Whether a stop is still in force for the number that it was sent to.

        Only then the gateway sends a confirmation from that number.
        """
        known = self._handsets[handset]
        scopes = self._rented.scopes_of(stop.number)
        return any(known.stop_of(scope) is stop for scope in scopes)

    def _is_in_force(self, handset: str, stop: Stop) -> bool:
        return any(each is stop for each in self._handsets[handset].in_force())

    def _awaited(self, handset: str, sender: str) -> Iterator[Stop]:
        """Yield the stops of a handset whose confirmation this sender may send."""
        for stop in self._handsets.get(handset, _Handset()).in_force():
            is_due = stop.belief is Belief.CONFIRMATION_DUE
            if is_due and self._rented.speaks_for(sender, stop.number):
                yield stop

    def _stopped_by(self, number: str, words: Sequence[str]) -> list[str]:
        """The scopes that a message stops; none if it is no stop message (guide 7.1.1, 7.1.2)."""
        scopes = self._rented.scopes_of(number)
        if len(words) == 1 and words[0] in STOP_WORDS:
            return scopes  # without a keyword it stops every keyword of a shared code
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
        """Stop the scopes that are open; a scope already stopped awaits no second confirmation."""
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
        """Open these scopes again; after STOP ALL the other scopes stay stopped."""
        known = self._handsets.get(handset)
        if known is None:
            return
        for scope in scopes:
            known.stops.pop(scope, None)
            if known.everything is not None:
                known.opened.add(scope)
