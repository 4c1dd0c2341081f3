"""How the time of a parser or a stage grows with what an outsider sends."""

from __future__ import annotations

import gc
import math
import time
from typing import TYPE_CHECKING, Final

from tests.hostile.scale import SIZE_SCALE

if TYPE_CHECKING:
    from collections.abc import Callable

MEASURABLE_SECONDS: Final = 0.004
REPEATS: Final = 5
SLOW_SECONDS: Final = 0.1  # noise is little beside it
TRIES: Final = 3
MOST: Final = 1.5  # a linear function measures about 1, a quadratic one about 2


class TooSteep(AssertionError):
    """The time grows faster than the input."""


def refuse_steep_growth(
    work: Callable[[int], Callable[[], object]],
    *,
    largest: int,
    smallest: int = 64,
    is_the_limit: bool = False,
) -> None:
    """Raise `TooSteep` when the processor time grows faster than the size of the input.

    `work(size)` prepares an input of that size and returns the function to measure. Sizes n and 4n
    are measured, with 4n at most `largest`. n is the first size that takes 4 ms, because below that
    noise dominates. If even `largest / 4` takes less, `largest` itself must take less than 64 ms.
    (In the long form `largest` is larger and the time in proportion, unless `largest` is the most
    that the code accepts.)
    """
    scale = 1 if is_the_limit else SIZE_SCALE
    largest *= scale
    size = min(smallest, max(1, largest // 4))
    while (once := _seconds(work(size), enough=MEASURABLE_SECONDS)) < MEASURABLE_SECONDS:
        if size >= largest // 4:
            most = 16 * MEASURABLE_SECONDS * scale
            for _ in range(TRIES):
                if (whole := _seconds(work(largest), enough=most)) <= most:
                    return
            raise TooSteep(f"{size} takes under 4 ms, but {largest} takes {whole * 1000:.0f} ms")
        size = min(2 * size, largest // 4)
    measured = []
    for _ in range(TRIES):
        most = once * 4**MOST
        if (four := _seconds(work(4 * size), enough=most)) <= most:
            return
        measured.append(f"{size}: {once:.4f} s, x4: {four:.4f} s")
        once = _seconds(work(size))
    raise TooSteep("; ".join(measured))


def _seconds(call: Callable[[], object], *, enough: float = 0.0) -> float:
    """The least processor time of a few calls; none is made after one that was this fast.

    A slow call is not repeated either. The garbage collector waits meanwhile: its time depends on
    what the tests before left in memory.
    """
    least = math.inf
    gc.disable()
    try:
        for _ in range(REPEATS):
            began = time.thread_time()
            call()
            least = min(least, time.thread_time() - began)
            if least < enough or least > SLOW_SECONDS:
                break
    finally:
        gc.enable()
    return least
