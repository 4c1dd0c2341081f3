"""How long to wait after a failure before the next attempt: twice as long each time."""

from __future__ import annotations

import random
from typing import Final

_random: Final = random.SystemRandom()
_MOST_DOUBLINGS: Final = 64  # more doublings than from the shortest to the longest wait


def backoff_seconds(failures: int, *, shortest: float, longest: float) -> float:
    """The wait after `failures` failures in a row, in seconds."""
    doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
    return float(min(shortest * 2.0**doublings, longest))


def spread(seconds: float, *, chance: float | None = None) -> float:
    """A wait between half of `seconds` and all, so that many clients do not return at once.

    `chance` in [0, 1) says where in between; by default it is random.
    """
    return seconds * (0.5 + (_random.random() if chance is None else chance) / 2)


class Backoff:
    """Counts failures in a row, and gives the wait after each."""

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest = shortest
        self._longest = longest
        self._failures = 0

    def failed(self) -> float:
        """Count a failure; returns how long to wait after it, in seconds."""
        self._failures += 1
        return backoff_seconds(self._failures, shortest=self._shortest, longest=self._longest)

    def succeeded(self) -> None:
        """Start again with the shortest wait."""
        self._failures = 0
