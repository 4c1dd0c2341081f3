"""How long to wait before something that failed is tried again: twice as long each time."""

from __future__ import annotations

import random
from typing import Final

_random: Final = random.SystemRandom()
_MOST_DOUBLINGS: Final = 64  # no wait that anybody sets is so many times another


def backoff_seconds(failures: int, *, shortest: float, longest: float) -> float:
    """The wait after so many failures in a row, in seconds."""
    doublings = min(max(failures - 1, 0), _MOST_DOUBLINGS)
    return float(min(shortest * 2.0**doublings, longest))


def spread(seconds: float, *, chance: float | None = None) -> float:
    """Between half of `seconds` and all, so that many clients do not come back at one moment.

    `chance` in [0, 1) says where between; a random one without it.
    """
    return seconds * (0.5 + (_random.random() if chance is None else chance) / 2)


class Backoff:
    """Counts failures in a row."""

    def __init__(self, shortest: float, longest: float) -> None:
        self._shortest = shortest
        self._longest = longest
        self._failures = 0

    def failed(self) -> float:
        """Count a failure; how long to wait after it, in seconds."""
        self._failures += 1
        return backoff_seconds(self._failures, shortest=self._shortest, longest=self._longest)

    def succeeded(self) -> None:
        """Begin again with the shortest wait."""
        self._failures = 0
