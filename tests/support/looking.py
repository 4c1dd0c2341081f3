"""Looking for what will come: often at first, then rarely, because each look takes processor time.

A look at a whole stack is a query, or a process of the command line.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

GROWTH: Final = 1.5
LONGEST_SECONDS: Final = 0.5


def looks(
    *, seconds: float, first: float = 0.05, longest: float = LONGEST_SECONDS
) -> Iterator[None]:
    """One step for each look, for so many seconds, and at least two.

    The pause between two looks grows from `first` to `longest`, and is at least as long as a look.
    """
    end = time.monotonic() + seconds
    pause = first
    is_last = False
    while True:
        began = time.monotonic()
        yield
        if is_last:
            return
        now = time.monotonic()
        time.sleep(max(pause, now - began))
        pause = min(GROWTH * pause, longest)
        is_last = time.monotonic() > end
