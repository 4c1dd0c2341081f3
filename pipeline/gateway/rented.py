"""The customer's numbers, as far as the gateway's rules on consent ask for them (guide 7, 8.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Rented:
    """A number that is named nowhere here is a plain one."""

    ranges: Sequence[tuple[str, str]] = ()  # first and last: one number to the gateway (8.4)
    keywords: Mapping[str, Sequence[str]] = field(default_factory=dict)  # of shared codes, 7.1.2
    premium: Collection[str] = ()  # MO premium rated: the rule of six hours does not apply (7.1.1)
    linked: Mapping[str, str] = field(default_factory=dict)  # who speaks for an MT short code

    def scopes_of(self, number: str) -> list[str]:
        """What a stop at the number stops: keywords `code/KEYWORD`, a range `first-last`, or it."""
        if number in self.keywords:
            return [f"{number}/{keyword}" for keyword in self.keywords[number]]
        for first, last in self.ranges:
            if len(number) == len(first) and first <= number <= last:
                return [f"{first}-{last}"]
        return [number]

    def speaks_for(self, sender: str, number: str) -> bool:
        """Whether a confirmation of a stop that was sent to `number` may come from `sender`."""
        return self.scopes_of(sender) == self.scopes_of(self.linked.get(number, number))
