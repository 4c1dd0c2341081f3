"""How often somebody may try to sign in."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 60.0
MOST_TRIES: Final = 5
#: Names and addresses that are remembered; the one that tried least lately is forgotten first.
_MOST_KEPT: Final = 10_000


class SignInTries:
    """Counts tries of a user from an address within a minute."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tries: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def wait_seconds(self, user: str, address: str) -> float:
        """Count a try. 0: it may be made; else how long to wait, and it does not count."""
        key, now = (user.casefold(), address), self._clock()
        tries = self._tries.setdefault(key, deque(maxlen=MOST_TRIES))
        self._tries.move_to_end(key)
        if len(tries) == MOST_TRIES and now - tries[0] < SECONDS:
            return SECONDS - (now - tries[0])
        tries.append(now)
        if len(self._tries) > _MOST_KEPT:
            self._tries.popitem(last=False)
        return 0.0

    def start_anew(self, user: str, address: str) -> None:
        """Forget the tries: the last one was right."""
        self._tries.pop((user.casefold(), address), None)
