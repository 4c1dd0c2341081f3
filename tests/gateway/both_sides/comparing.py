"""Compares the gateway's states of consent with those that the product assumes of the gateway."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from pipeline.kafka import topics
from pipeline.records import Purpose
from tests.gateway.both_sides.numbers import PREMIUM, REPLIED, SCOPES
from tests.support.partition import HANDSET

if TYPE_CHECKING:
    from pipeline.gateway.gateway import Gateway
    from pipeline.gateway.messages import Result
    from pipeline.records import MtCommand
    from tests.gateway.both_sides.product import Product

OPEN, DUE, STOPPED = "open", "confirmation-due", "stopped"
CONFIRMING = (Purpose.CONFIRMATION, Purpose.CUSTOM_REPLY)
SAME = "the same"
UNDER_WAY = "shut on both sides: our confirmation is under way, or lost"
ONE_FOR_ALL = "shut on both sides: the gateway took an MT as the confirmation of more than we did"
SINCE_DOUBT = "shut on both sides: ours since a message in doubt, the gateway's since a clear one"
LATE = "shut on both sides: ours has it by messages that came late, in another order"
REPLY = "shut on both sides: the gateway's own reply confirmed a keyword that was due before"
DOUBT_SHUT = "doubt: ours counts it as a stop, or does not open"
DOUBT_REVIEW = "doubt: ours is put to review"


class Comparison:
    """The comparison of one world; `counts` has how often both agreed, and why they did not."""

    def __init__(self, product: Product, gateway: Gateway) -> None:
        self._product = product
        self._gateway = gateway
        self.counts: Counter[str] = Counter()
        self._history: list[str] = []
        self._doubted: dict[str, set[str]] = {}  # ambiguous texts, by scope
        self._shut_in_doubt: set[str] = set()
        self._came_late: set[str] = set()
        self._replied: set[str] = set()
        self._taken_for_more: set[str] = set()

    def heard(self, number: str, text: str, *, kind: str, is_late: bool) -> None:
        """Note a message of the handset; its `kind` is `doubtful` if it is ambiguous."""
        self._note(f"MO {number} {text[:40]!r}{', not taken yet' if is_late else ''}")
        scopes = self._gateway.settings.rented.scopes_of(number)
        for scope, theirs in self.theirs().items() if REPLIED in text.upper() else ():
            if theirs == STOPPED and self._product.gateway_state(scope) == DUE:
                self._taken_for_more.add(scope)  # by the reply that the gateway sends itself
        if REPLIED in text.upper() and len(scopes) > 1:
            self._replied |= set(scopes)
        if is_late:
            self._came_late |= set(SCOPES if kind == "all" else scopes)
        if kind == "doubtful":
            for scope in SCOPES if " all" in text else scopes:
                self._doubted.setdefault(scope, set()).add(text)
        elif kind in ("stop", "all") and number != PREMIUM:  # a premium number stops nothing
            cleared = self._doubted.keys() & set(SCOPES if kind == "all" else scopes)
            self._shut_in_doubt |= cleared
            for scope in cleared:
                del self._doubted[scope]

    def sent(self, command: MtCommand, result: Result, before: dict[str, str]) -> None:
        """Note an MT to the gateway, whose state of each scope was `before`."""
        refused = f"refused: {result.refusal}" if result.refusal else "taken"
        self._note(f"MT {command.purpose} from {command.sender_id} {refused}")
        for scope, theirs in self.theirs().items():
            became_stopped = theirs == STOPPED and before[scope] == DUE
            if became_stopped and self._product.gateway_state(scope) == DUE:
                self._taken_for_more.add(scope)

    def theirs(self) -> dict[str, str]:
        """The gateway's states, by scope."""
        return {scope: self._gateway.consent.belief(HANDSET, scope).value for scope in SCOPES}

    def compare(self) -> None:
        """Compare both sides for every scope; raises `AssertionError` for an unexplained one."""
        latest = self._product.latest_rows()
        for scope, theirs in self.theirs().items():
            if scope == PREMIUM and scope not in latest:
                continue  # the product has no row of the premium number, only the account's
            row = latest.get(scope) or latest.get("main")
            ours = row.gateway_state if row else OPEN
            why = self._why(scope, ours, theirs)
            assert why, self._words(scope, ours, theirs)
            self.counts[why] += 1
            if theirs == OPEN:
                self._forget(scope)
                if ours == OPEN:
                    self._doubted.pop(scope, None)

    def _why(self, scope: str, ours: str, theirs: str) -> str:
        """Why both states are as they are; empty if nothing explains it."""
        if ours == theirs:
            return SAME
        if OPEN not in (ours, theirs):
            return self._why_both_are_shut(scope, ours)
        doubted = self._doubted.get(scope)
        if doubted is None:
            return ""
        if theirs == OPEN:
            return DOUBT_SHUT
        return DOUBT_REVIEW if self._is_reviewed(doubted) else ""

    def _why_both_are_shut(self, scope: str, ours: str) -> str:
        if scope in self._shut_in_doubt or scope in self._doubted:
            return SINCE_DOUBT
        if ours == DUE and scope in self._taken_for_more:
            return ONE_FOR_ALL
        if ours == STOPPED and self._is_confirmed_by_us(scope):
            return UNDER_WAY
        if ours == STOPPED and scope in self._replied:
            return REPLY
        return LATE if scope in self._came_late else ""

    def _forget(self, scope: str) -> None:
        """Drop what was noted of a scope that the gateway has opened."""
        for each in (self._taken_for_more, self._shut_in_doubt, self._came_late, self._replied):
            each.discard(scope)

    def _is_confirmed_by_us(self, scope: str) -> bool:
        """Whether the product has sent a confirmation since the gateway's stop of this scope."""
        stop = self._gateway.consent._handsets[HANDSET].stop_of(scope)
        assert stop is not None
        commands = self._product.commands
        return any(c.purpose in CONFIRMING and c.at >= stop.since for c in commands)

    def _is_reviewed(self, texts: set[str]) -> bool:
        messages = self._product.written(topics.MO_MESSAGE)
        return any(each.text in texts and "review" in each.flags for each in messages)

    def _note(self, words: str) -> None:
        self._history.append(f"{self._product.now:%d %H:%M:%S} {words}")

    def _words(self, scope: str, ours: str, theirs: str) -> str:
        said = "\n".join(self._history[-30:])
        now = f"{self._product.now:%d %H:%M:%S}"
        return f"{scope}: the product says {ours}, the gateway {theirs}\n{said}\n{now}"
