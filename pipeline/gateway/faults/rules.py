"""Which fault a message meets: by a test handset, else by the first rule, else by a switch."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pipeline.gateway.faults import MAGIC
from pipeline.gateway.faults.kinds import BY_NAME, HTTP_WAYS, KINDS, Group, Kind

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

LONGEST: Final = 20  # digits of a handset; a pattern matches no longer one
_REFUSED: Final = re.compile(f"{MAGIC}0([1-9][0-9]{{2}})")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When a fault is played, and how. A value of None means the default of the fault."""

    kind: Kind
    way: str = ""  # empty: every way
    handset: str = ""  # digits, * and ?; empty: every handset
    nth: int = 0  # which of the matching messages, from 1; 0: each
    share: float = 1.0  # probability that a matching message meets the fault
    octets: int | None = None
    seconds: float | None = None
    minutes: float | None = None
    days: float | None = None
    code: str = ""
    until: datetime | None = None

    @property
    def name(self) -> str:
        """The name of the fault."""
        return self.kind.name


@dataclass
class Fault:
    """A fault that can be switched on for every handset."""

    kind: Kind
    is_on: bool = False

    @property
    def name(self) -> str:
        """The name that rules use."""
        return self.kind.name

    @property
    def handset(self) -> str:
        """The test handset that always meets the fault."""
        return self.kind.handset

    @property
    def words(self) -> str:
        """What the fault does, one sentence."""
        return self.kind.words

    def switch(self, *, on: bool) -> None:
        """Switch the fault on or off for every handset."""
        self.is_on = on


@dataclass
class _Watched:
    """A rule in use, with its random numbers and the count of messages that matched."""

    rule: Rule
    chance: random.Random
    pattern: re.Pattern[str] | None
    seen: int = field(default=0)

    def meets(self, way: str, handset: str) -> bool:
        rule = self.rule
        if rule.way and way != rule.way and not way.startswith(f"{rule.way}-"):
            return False
        if self.pattern is not None and not self.pattern.fullmatch(handset[: LONGEST + 1]):
            return False
        self.seen += 1
        if rule.nth and self.seen != rule.nth:
            return False
        return rule.share >= 1.0 or self.chance.random() < rule.share


class Faults:
    """Every fault, and the rules in use.

    Each rule has random numbers of its own, seeded: with one seed, the same messages meet the same
    faults.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._watched: list[_Watched] = []
        self._wrong_next: set[str] = set()
        self.all = [Fault(kind) for kind in KINDS]

    def use(self, rules: Sequence[Rule]) -> None:
        """Replace the rules in use by these."""
        self._watched = [
            _Watched(rule, random.Random(f"{self._seed}:{at}"), _pattern_of(rule.handset))  # noqa: S311 - no secret
            for at, rule in enumerate(rules)
        ]

    @property
    def rules(self) -> list[Rule]:
        """The rules in use, in their order."""
        return [watched.rule for watched in self._watched]

    def named(self, name: str) -> Fault:
        """The fault of this name; raises `KeyError`."""
        found = next((fault for fault in self.all if fault.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def met(self, group: Group, way: str, handset: str) -> Rule | None:
        """The fault of a group that a message of this handset meets by this way, or None."""
        rule = self._magic(group, way, handset)
        if rule is not None:
            return rule
        for watched in self._watched:
            if watched.rule.kind.group is group and watched.meets(way, handset):
                return watched.rule
        family = way.partition("-")[0]
        for fault in self.all:
            if fault.is_on and fault.kind.group is group and family in fault.kind.ways:
                return Rule(kind=fault.kind)
        return None

    def met_on_connection(self, way: str) -> Rule | None:
        """The fault that a connection by this way meets when TLS begins, or None."""
        door = door_of(way)
        if door in self._wrong_next:
            self._wrong_next.discard(door)
            return Rule(kind=BY_NAME["wrong-certificate"])
        return self.met(Group.CONNECTION, door, "")

    def _magic(self, group: Group, way: str, handset: str) -> Rule | None:
        if not handset.startswith(MAGIC):
            return None
        refused = _REFUSED.fullmatch(handset)
        if refused is not None:
            is_asked = group is Group.REFUSAL
            return Rule(kind=BY_NAME["refuse"], code=refused[1]) if is_asked else None
        kind = next((kind for kind in KINDS if kind.handset == handset), None)
        if kind is None or way.partition("-")[0] not in kind.ways:
            return None
        if kind.group is Group.CONNECTION and group is Group.ANSWER:
            self._wrong_next.add(door_of(way))  # the next connection gets the wrong certificate
            return Rule(kind=kind)
        return Rule(kind=kind) if kind.group is group else None


def door_of(way: str) -> str:
    """The server of a way: HTTP, XML and SOAP share one port."""
    return "http" if way in HTTP_WAYS else way


def _pattern_of(handset: str) -> re.Pattern[str] | None:
    if not handset:
        return None
    whole = re.sub(r"\*+", "*", handset)
    return re.compile(f"(?=.{{,{LONGEST}}}$)" + whole.replace("*", "[0-9]*").replace("?", "[0-9]"))
