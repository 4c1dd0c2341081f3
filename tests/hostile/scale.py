"""Which random inputs are tried, and how many: few and always the same, or as the caller asks.

`make hostile SEED=N` sets both variables for the processes of the tests.
"""

from __future__ import annotations

import os
import random
from typing import Final

SEED_VARIABLE: Final = "HOSTILE_SEED"
SCALE_VARIABLE: Final = "HOSTILE_SCALE"
SEED: Final = int(os.environ.get(SEED_VARIABLE, "20"))
#: Random inputs are so many times as many.
SCALE: Final = int(os.environ.get(SCALE_VARIABLE, "1"))
#: Growth is measured up to sizes that are so many times as large.
SIZE_SCALE: Final = min(SCALE, 8)
IS_LONG: Final = SCALE > 1


def dice_for(what: str) -> random.Random:
    """The random numbers of one test: they follow from the seed and the name of what is tried."""
    return random.Random(f"{SEED} {what}")
