"""What the gateway's rules of consent need to know of the customer's numbers (guide 7, 8.4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


@dataclass(frozen=True, kw_only=True)
class Rented:
    """Ranges, keywords, premium and linked numbers; any other number is a scope by itself."""

    ranges: Sequence[tuple[str, str]] = ()  # first and last; a range is one scope (8.4)
    keywords: Mapping[str, Sequence[str]] = field(default_factory=dict)  # of shared codes, 7.1.2
    premium: Collection[str] = ()  # MO premium rated: the rule of six hours does not apply (7.1.1)
    linked: Mapping[str, str] = field(default_factory=dict)  # MT short code: number that sends

    def scopes_of(self, number: str) -> list[str]:
        """The scopes that a stop to this number stops.

        These are its keywords as `code/KEYWORD`, its range as `first-last`, or the number.
        """
        if number in self.keywords:
            return [f"{number}/{keyword}" for keyword in self.keywords[number]]
        for first, last in self.ranges:
            if len(number) == len(first) and first <= number <= last:
                return [f"{first}-{last}"]
        return [number]

    def speaks_for(self, sender: str, number: str) -> bool:
        """Whether `sender` may send the confirmation of a stop that was sent to `number`."""
        return self.scopes_of(sender) == self.scopes_of(self.linked.get(number, number))
